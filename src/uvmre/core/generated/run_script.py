"""`run.sh` and a Dockerfile for an MRE that has none, so that it runs without uvmre.

The script judges with the source of `matching.py` and what it needs: its answer is that of `uvmre run` for the MRE as
reported. What it cannot know without the gateway it does not answer.
"""

import inspect
import re
import shlex

from uvmre.core.dockerfile.image_names import slim_image
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.generated.names import GATEWAY, MARK, OTHER_SCRIPT, SCRIPT
from uvmre.core.generated.script_parts import (
    BUILD,
    FRESH,
    HEAD,
    JUDGE,
    NEEDS_GATEWAY,
    OF_BUILD,
    OF_STEPS,
    PASSED_ON,
    STEP,
    TOOLS,
    UNREACHABLE,
)
from uvmre.core.mre import symptom
from uvmre.core.mre.files import File
from uvmre.core.mre.model import LEFT_OUT, MANIFEST, Mre
from uvmre.core.network.simple_page import describe_cutoff
from uvmre.core.outcome import matching, observation, parts
from uvmre.core.text import normalize
from uvmre.core.text.visible import visible

EMBEDDED = (symptom, observation, normalize, parts, matching)
"""The modules of its judge."""


def generated_files(mre: Mre) -> tuple[File, ...]:
    """Return the files that let an MRE run without uvmre: a script, and a Dockerfile where it has none."""
    name = OTHER_SCRIPT if mre.file(SCRIPT) else SCRIPT
    script = File(name, run_script(mre).encode(), executable=True)
    return (
        (script,)
        if mre.file(DOCKERFILE) or not mre.environment.uv[:1].isdigit()
        else (script, File(DOCKERFILE, dockerfile(mre, name).encode()))
    )


def dockerfile(mre: Mre, script: str = SCRIPT) -> str:
    """Return a Dockerfile that runs the script of an MRE."""
    uv, minor = mre.environment.uv, _minor(mre) or "3"
    note = "#\n# It needs the gateway of uvmre, which no container reaches: use `uvmre run`.\n" if _needs(mre) else ""
    return (
        f"{MARK} Later edits of {MANIFEST} are not in it, and uvmre itself does not read it.\n"
        "# docker build -t mre . && docker run --rm mre; echo $?    (0: the symptom shows, 1: not, 125: cannot tell)\n"
        f"{note}FROM python:{minor}\n"
        + (
            f"COPY --from=ghcr.io/astral-sh/uv:{uv} /uv /uvx /bin/\n"
            if slim_image(uv, "")
            else f"RUN pip install uv=={uv}\n"
        )
        + f'WORKDIR /mre\nCOPY . .\nCMD ["sh", "{script}"]\n'
    )


def run_script(mre: Mre) -> str:
    """Return a script that runs the steps of an MRE as reported, and whose exit code says whether the symptom shows."""
    whole = with_steps(mre)
    built = bool(whole.steps and whole.steps[0].layer)
    cutoff = mre.environment.exclude_newer
    day = describe_cutoff(cutoff).removeprefix("at ") if cutoff else ""
    needs = _needs(mre)
    notes = [f"Needs the gateway of uvmre for {need}." for need in needs]
    if day and not needs:
        notes.append(f"PyPI as at {day} is what the gateway of uvmre has; without it, an absent symptom is 125.")
    if built:
        notes.append("Builds the Dockerfile with docker and BuildKit.")
    python = mre.environment.python or "3"
    head = HEAD.format(
        mark=MARK,
        manifest=MANIFEST,
        title=" ".join(visible(f"{mre.title} {mre.issue}").split()),
        uv=mre.environment.uv,
        python=python,
        gateway=GATEWAY,
        notes="".join(f"\n# {' '.join(note.split())}" for note in notes),
    )
    gate = NEEDS_GATEWAY if needs else ""
    if keys := [
        *whole.host_keys,
        *["symptom"] * bool(built and mre.observed_files),
        *(["uv"] if not whole.environment.uv[:1].isdigit() else []),
    ]:
        gate = f'echo "error: only uvmre run can do what the key {keys[0]} asks for" >&2\nexit 125\n'
    body = _fresh(mre) + (_build(mre) if built else _tools(mre, python) + _steps(mre))
    return head + gate + body + _judge(whole, day, OF_BUILD if built else OF_STEPS)


def _needs(mre: Mre) -> list[str]:
    """Return what only the gateway can answer."""
    needs = [f"the index {re.sub(r'//[^/@]*@', '//', index.url)} ({index.registry})" for index in mre.indexes]
    needs += [f"the synthetic packages of {index.url}" for index in mre.indexes if index.packages]
    needs += [f"the answer of {answer.url}" for answer in mre.answers]
    needs += [f"the repository {repository.url}" for repository in mre.repositories]
    return [*needs, *(f"faults of {fault.url}" for fault in mre.faults)]


def _minor(mre: Mre) -> str:
    return ".".join(mre.environment.python.split(".")[:2])


def _fresh(mre: Mre) -> str:
    own = [MANIFEST, OTHER_SCRIPT if mre.file(SCRIPT) else SCRIPT, *([] if mre.file(DOCKERFILE) else [DOCKERFILE])]
    return FRESH.format(own=" ".join(own), left_out=" -o ".join(f"-name {name}" for name in sorted(LEFT_OUT)))


def _tools(mre: Mre, python: str) -> str:
    home = shlex.quote(f"./{mre.environment.home.strip('/')}")
    return TOOLS.format(
        home=f'(cd "$fresh/mre" && cp -R {home}/. "$fresh/home" && chmod -R go-rwx "$fresh/home") || exit 125\n'
        if any(file.path.startswith(f"{mre.environment.home.rstrip('/')}/") for file in mre.files)
        else "",
        minor=_minor(mre) or "3",
        wanted=python,
        python=python,
        uv=mre.environment.uv,
    )


def _steps(mre: Mre) -> str:
    folders = ["$fresh/mre/" + re.sub(r'([\\"$`])', r"\\\1", folder) for folder in mre.environment.path]
    steps = [f"step {each.role} {each.timeout} {shlex.quote(each.run)}" for each in mre.steps]
    return STEP.format(
        variables=" ".join(shlex.quote(f"{name}={value}") for name, value in mre.variables.items()),
        passed_on=" ".join(PASSED_ON),
        path=":".join([*folders, "$fresh/bin", "/usr/local/bin", "/usr/bin", "/bin"]),
        steps=" &&\n".join(steps),
    )


def _build(mre: Mre) -> str:
    arguments = "".join(f" --build-arg {shlex.quote(f'{name}={value}')}" for name, value in mre.variables.items())
    if file := mre.environment.env_file:
        arguments += f' --secret id=mre,src="$fresh/mre"/{shlex.quote(file)}'
    return BUILD.format(arguments=arguments)


def _judge(mre: Mre, day: str, results: str) -> str:
    return JUDGE.format(
        source="\n\n".join(_source(inspect.getsource(module)) for module in EMBEDDED),
        symptom=ascii(mre.symptom),
        expected=ascii(mre.expected),
        guessed=mre.is_guess,
        steps=ascii([(step.role, step.run if step.layer else step.title) for step in mre.steps]),
        dated=ascii(day),
        unreachable=UNREACHABLE,
        results=results,
        uv=mre.environment.uv,
    )


def _source(text: str) -> str:
    """Return a module's source without its imports of uvmre, which are for types or in the script already."""
    imports = r"^from (?:uvmre\.\S+ import (?:\([^)]*\)|.*)|__future__ .*)\n"
    return re.sub(imports, "", text, flags=re.MULTILINE).strip("\n") + "\n"
