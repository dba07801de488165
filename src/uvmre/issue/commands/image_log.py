"""The RUNs in the log of an image's build, each with its output: BuildKit, the classic builder, podman, kaniko."""

import re

HEAD = re.compile(
    r"(?:#(?P<key>\d{1,9}) \[[^\]\n]{1,80}\]|=> (?:[A-Z]{5,9} )?\[[^\]\n]{1,80}\]|> \[[^\]\n]{1,80}\]"
    r"|S(?:tep|TEP) \d{1,4}/\d{1,4} ?:) RUN (?P<run>\S.*)"
)
KANIKO = re.compile(r"Running: \[/bin/(?:ba)?sh(?: -o pipefail)? -c (?P<run>[^\]\n]{1,1000})\]")
NUMBERED = re.compile(r"#(?P<key>\d{1,9}) (?:\d{1,9}\.\d{1,9} ?)?(?P<text>.*)")
TIME = re.compile(r"\d{1,9}\.\d{1,9} ")
BUILDER = re.compile(
    r"ERROR: process |DONE \d|CACHED|--->|The command '|-{4,}|ERROR: failed|Dockerfile:\d|\[output clip"
)
FLAGS = re.compile(r"--(?:mount|network|security)=[^\s]{1,300} ")
ENDS = re.compile(r"(?:\s{2,20}\d+\.\d+s|:)\s*\Z")


def runs_of(text: str) -> list[tuple[str, str]]:
    """Return the commands of a build's log, each with what it printed."""
    outputs: dict[str, list[str]] = {}
    of_key: dict[str, str] = {}
    repeated: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.split("\n"):
        line, printed = line.strip(), line  # noqa: PLW2901
        head = HEAD.fullmatch(line) or KANIKO.search(line)
        if head:
            run = FLAGS.sub("", " ".join(ENDS.sub("", head["run"]).split()))
            group = head.groupdict()
            # Below `> [2/3] RUN …:` the builder repeats the end of the output.
            summary = run in outputs and not group.get("key")
            current = repeated.setdefault(run, []) if summary else outputs.setdefault(run, [])
            if key := group.get("key"):
                of_key[key] = run
        elif numbered := NUMBERED.match(line):
            lines = outputs[of_key[numbered["key"]]] if numbered["key"] in of_key else current
            if lines is not None and not BUILDER.match(numbered["text"]):
                lines.append(numbered["text"])
        elif BUILDER.match(line):
            current = None if line.startswith("----") else current
        elif current is not None:
            current.append(TIME.sub("", line, count=1) if TIME.match(line) else printed)
    return [(run, "\n".join(lines or repeated.get(run, ())).strip("\n")) for run, lines in outputs.items()]
