"""The parts of a generated `run.sh`, as `str.format` takes them; `run_script.py` puts them together."""

PASSED_ON = (
    *("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NO_PROXY", "no_proxy"),
    *("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy"),
)
UNREACHABLE = (
    r"dns error|failed to lookup|could not resolve|name resolution|tunnel (?:error|connection|failed)|tcp connect error"
    r"|connection (?:refused|reset)|network is unreachable|operation timed out|error sending request|error trying to"
    r" connect|unknownissuer|certificate verify failed|403 forbidden after connect"
)
"""How clients say that a host did not answer, or that the gateway does not let it through."""

HEAD = """\
#!/bin/sh
{mark} Later edits of {manifest} are not in it, and uvmre itself does not read it.
#
#   {title}
#
# Runs the steps in a fresh folder and home with uv {uv} (the one in PATH, or else from PyPI) and Python {python}.
# Exit code 0: the symptom shows. 1: it does not. 125: cannot tell. Controls are run by `uvmre run` only.
# Needs python3, 3.8 or newer.{notes}
here=$(cd "$(dirname "$0")" && pwd -P) || exit 125
served=${{{gateway}:-}}
if [ -n "$served" ] && [ "$served" != "$here" ]; then
  echo "error: the gateway that these variables lead to is that of $served" >&2
  echo "hint: start the one of $here, or use a terminal without its variables" >&2
  exit 125
fi
"""
NEEDS_GATEWAY = """\
if [ -z "$served" ]; then
  echo "error: this MRE needs the gateway of uvmre, which answers for what is named at the top of this script" >&2
  echo "hint: run uvmre gateway '$here' in another terminal, run the exports that it prints in this one, try again" >&2
  exit 125
fi
"""
FRESH = """\
fresh=$(mktemp -d) && fresh=$(cd "$fresh" && pwd -P) || exit 125
trap 'chmod -R u+w "$fresh"; rm -rf "$fresh"' EXIT
trap 'exit 130' INT TERM
said=$fresh/said
mkdir -p "$fresh/home/.cache/uv" "$fresh/tmp" "$fresh/bin" "$said" && cp -R "$here" "$fresh/mre" || exit 125
(cd "$fresh/mre" && rm -f "${{0##*/}}" {own} &&
  find . -type d \\( {left_out} \\) -prune -exec rm -rf {{}} +) || exit 125
"""
TOOLS = """\
{home}
# The interpreter, and uv.
for name in python{minor} python3 python; do
  found=$("$name" -c 'import sys
if ("%d.%d.%d." % sys.version_info[:3]).startswith("{wanted}."):
    print(getattr(sys, "_base_executable", sys.executable))' 2>/dev/null)
  [ -z "$found" ] || break
done
[ -n "$found" ] || {{ echo "error: Python {python} is not in PATH" >&2; exit 125; }}
for name in python python3 python{minor}; do ln -sf "$found" "$fresh/bin/$name"; done
case $(uv --version 2>/dev/null) in
"uv {uv}" | "uv {uv} "*) bin=$(dirname "$(command -v uv)") ;;
*)
  python3 -m pip install --quiet --disable-pip-version-check --target "$fresh/uv" uv=={uv} || {{
    echo "error: uv {uv} is not in PATH, and could not be installed" >&2
    exit 125
  }}
  bin=$fresh/uv/bin
  ;;
esac
for name in uv uvx; do [ ! -x "$bin/$name" ] || ln -s "$bin/$name" "$fresh/bin/$name"; done
"""
STEP = """
# step ROLE SECONDS COMMAND: in a shell of its own, and with no variable of yours but those of the network.
n=0
step() {{
  n=$((n + 1))
  role=$1 limit=$2
  # A failure of any command of a set-up step is one of the step.
  [ "$role" = setup ] && strict=-e || strict=
  set -- {variables} /bin/sh $strict -c "$3"
  for name in {passed_on}; do
    eval "value=\\${{$name-}}"
    [ -z "$value" ] || set -- "$name=$value" "$@"
  done
  set -- env -i "PATH={path}" "HOME=$fresh/home" "TMPDIR=$fresh/tmp" LANG=C.UTF-8 "$@"
  command -v timeout >/dev/null && set -- timeout -k 5 "$limit" "$@"
  (cd "$fresh/mre" && exec "$@") </dev/null >"$said/$n.stdout" 2>"$said/$n.stderr"
  code=$?
  echo "$code" >"$said/$n.exit"
  cat "$said/$n.stdout"
  cat "$said/$n.stderr" >&2
  [ "$code" = 124 ] && command -v timeout >/dev/null && return 1
  [ "$role" = observe ] || [ "$code" = 0 ]
}}

{steps}
"""
BUILD = """
# Every RUN of the Dockerfile is a step. BuildKit alone says which RUN said what.
DOCKER_BUILDKIT=1 docker build --no-cache --progress=plain{arguments} "$fresh/mre" >"$said/build" 2>&1
echo $? >"$said/build.exit"
cat "$said/build"
"""
JUDGE = """
# What they left behind is judged as `uvmre run` does it, by the same code.
python3 - "$fresh" "$served" <<'END-OF-JUDGE'
from __future__ import annotations

import os
import sys

{source}

FRESH, SERVED = sys.argv[1:]
SYMPTOM = {symptom}
EXPECTED = {expected}
GUESSED = {guessed}
STEPS = {steps}
DATED = {dated}
UNREACHABLE = re.compile({unreachable!r})


def text(*path):
    try:
        with open(os.path.join(FRESH, *path), "rb") as file:
            return file.read().decode(errors="replace").replace(FRESH, "")
    except OSError:
        return None


{results}

def main():
    steps = results()
    if not steps:
        return 125, "no step was run"
    paths = [file.path for file in SYMPTOM.files + (EXPECTED.files if EXPECTED else ())]
    contents = [text("mre", path) for path in paths]
    files = tuple(FileState(path, content is not None, content) for path, content in zip(paths, contents))
    outcome = match(SYMPTOM, Observation("", {uv!r}, "", "", "", tuple(steps), (), files), EXPECTED)
    cannot = ("no response from a host: " + line for step in steps for line in unreachable(step))
    if not UNREACHABLE.search(" ".join(SYMPTOM.texts).lower()):
        for reason in cannot:
            return 125, reason
    if outcome.word == "absent" and GUESSED:
        return 125, outcome.reason + ", but the symptom or the MRE is a guess"
    if outcome.word == "absent" and DATED and not SERVED:
        return 125, outcome.reason + ", but with PyPI as it is today: only behind `uvmre gateway` is it as at " + DATED
    return {{"shows": 10, "absent": 11}}.get(outcome.word, 125), outcome.word + ": " + outcome.reason


def unreachable(step):
    return [line for line in readable(step.stderr + step.stdout).lower().splitlines() if UNREACHABLE.search(line)]


code, reason = main()
print(reason, file=sys.stderr)
sys.exit(code)
END-OF-JUDGE
case $? in # 1 is what Python itself ends with when it fails
10) exit 0 ;;
11) exit 1 ;;
*) exit 125 ;;
esac
"""
OF_STEPS = """\
def results():
    steps = []
    for number, (role, title) in enumerate(STEPS, 1):
        code = text("said", "%d.exit" % number)
        if code is not None:
            said = [text("said", "%d.%s" % (number, stream)) for stream in ("stdout", "stderr")]
            steps.append(StepResult(title, "", role, int(code), *said, 0, timed_out=int(code) == 124))
    return steps
"""
OF_BUILD = '''\
def results():
    """Read the log of BuildKit: `#8 [stage 2/5] RUN command`, `#8 0.386 what it said`, `#8 DONE` or `#8 ERROR`."""
    roles = {" ".join(title.split()): role for role, title in STEPS}
    names, said, codes = {}, {}, {}
    for line in text("said", "build").splitlines():
        if found := re.match(r"#(\\d+) \\[[^]]*\\] RUN (?:--\\S+ )*(.*)", line):
            names[found[1]] = " ".join(found[2].split())
        elif found := re.match(r"#(\\d+) \\d+\\.\\d+ (.*)", line):
            said.setdefault(found[1], []).append(found[2])
        elif found := re.match(r"#(\\d+) DONE", line):
            codes[found[1]] = 0
        elif found := re.match(r"#(\\d+) ERROR: process .* did not complete successfully: exit code: (\\d+)", line):
            codes[found[1]] = int(found[2])
    done = [number for number in names if number in codes]
    failed = [number for number in done if codes[number]]
    if text("said", "build.exit").strip() != "0":
        if not failed or not all(names[number] in roles for number in failed):
            return []
    elif not {title for title, role in roles.items() if role == "observe"} <= {names[number] for number in done}:
        return []
    return [
        StepResult(names[number], "", roles.get(names[number], "setup"), codes[number], "",
                   "\\n".join(said.get(number, ())), 0)
        for number in done
    ]
'''
