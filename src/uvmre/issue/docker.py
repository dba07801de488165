"""A Dockerfile's steps as commands: what it runs, in which variables; the folder of the image is the MRE's."""

import re

from uvmre.issue import shell

JOINED = re.compile(r"\\[ \t]*\n[ \t]*")
RUN = re.compile(r"^RUN\s+(?P<options>(?:--\S+\s+)*)(?P<run>.*)$")
ENV = re.compile(r"^(?:ENV|ARG)\s+(?P<rest>.*)$")
PAIR = re.compile(r"(?P<name>[A-Za-z_]\w*)=(?P<value>\"[^\"]*\"|'[^']*'|\S*)")
HEREDOC_RUN = re.compile(
    r"^RUN\s+(?:--\S+\s+)*<<-?['\"]?(?P<word>\w+)['\"]?.*?\n(?P<body>.*?)\n(?P=word)\s*$", re.MULTILINE | re.DOTALL
)


def lifted(text: str, line: int) -> tuple[list[tuple[str, int]], dict[str, str]]:
    """Return the commands that call uv, each with its line, and the variables that are set for all of them."""
    commands: list[tuple[str, int]] = []
    variables: dict[str, str] = {}
    text = HEREDOC_RUN.sub(lambda found: "RUN " + " && ".join(found["body"].strip().split("\n")), text)
    flat = JOINED.sub(lambda found: " \x00" * found[0].count("\n"), text)
    for number, whole in enumerate(flat.split("\n")):
        at = line + number + flat[: flat.find(whole)].count("\x00") if "\x00" in flat else line + number
        instruction = " ".join(whole.replace("\x00", " ").split())
        if (found := RUN.match(instruction)) and re.search(r"\buvx?\b", found["run"]):
            run = found["run"]
            if run.startswith("["):
                words = re.findall(r'"([^"]*)"', run)
                run = words[-1] if words[:1] in (["/bin/sh"], ["sh"], ["bash"], ["/bin/bash"]) else " ".join(words)
            if shell.statements(run):
                commands.append((run, at))
        elif found := ENV.match(instruction):
            pairs = PAIR.findall(found["rest"])
            if not pairs and " " in found["rest"]:
                name, _, value = found["rest"].partition(" ")
                pairs = [(name, value)]
            variables |= {name: value.strip("\"'") for name, value in pairs if name.startswith(("UV_", "PIP_"))}
    return commands, variables
