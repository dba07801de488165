"""Repairs of what a step runs in: a virtual environment, its activation script, the version of Python."""

import re
from dataclasses import replace

from uvmre.issue.repairs.rule import Change, Failure, rule

MAKES_VENV = re.compile(r"uv (?:venv|sync|add)\b")
REQUIRES = re.compile(r'(?m)^requires-python = "[^"\n]*"')


@rule(
    "neutral",
    r"No virtual environment found|Failed to locate a virtualenv or Conda environment"
    r"|No Python [\w.<>=~,* -]{0,60} found in virtual environments",
)
def no_venv(failure: Failure, _: re.Match[str]) -> Change:
    """Add `uv venv` where there is no virtual environment."""
    return failure.with_step_before("uv venv"), "added `uv venv`"


@rule(
    "neutral",
    r"(?P<folder>[\w./~-]{1,80})/bin/activate(?:\.\w{1,6})?'?: (?:No such file|[Nn]ot found)"
    r"|No interpreter found (?:at|in|for) (?:path|directory|executable name)"
    r" `(?P<other>[\w./~-]{0,80}?venv[\w.-]{0,20})",
)
def no_named_venv(failure: Failure, found: re.Match[str]) -> Change:
    """Create the virtual environment whose activation script or interpreter is not there."""
    folder = (found["folder"] or found["other"]).removeprefix("./")
    run = "uv venv" if folder == ".venv" else f"uv venv {folder}"
    if MAKES_VENV.match(failure.commands[1]):
        lines = [each for each in failure.step.run.split("\n") if "/bin/activate" not in each]
        return failure.with_run("\n".join(lines)), f"`{folder}` is activated once it is there"
    # Nothing of the MRE may be in `.venv`, which is uv's own place for it.
    if not (folder == ".venv" or failure.path(folder)) or any(run in step.run for step in failure.mre.steps):
        return None
    return failure.with_step_before(run), f"added `{run}`"


@rule("standing in", r"https://github\.com/(?:astral-sh|indygreg)/python-build-standalone/")
def python_download(failure: Failure, _: re.Match[str]) -> Change:
    """Use the interpreters of this machine where uv would download one."""
    environment = failure.mre.environment
    variables = {**environment.variables, "UV_PYTHON_PREFERENCE": "only-system"}
    mre = replace(failure.mre, environment=replace(environment, variables=variables))
    return mre, "this machine's interpreter stands in for a download"


@rule("neutral", r"requested Python version \([^)]{1,60}\) does not satisfy Python ?>=3\.\d{1,2}\b")
def python_too_old(failure: Failure, _: re.Match[str]) -> Change:
    """Raise a `requires-python` that the post does not state to what a dependency needs."""
    minors = {int(each) for each in re.findall(r"does not satisfy Python ?>=3\.(\d{1,2})\b", failure.output)}
    requires = f'requires-python = ">=3.{max(minors)}"'
    posted = {file.path for file in failure.hypothesis.parsed.files if not file.inferred}
    files = (each for each in failure.mre.files if each.path not in posted)
    texts = {each.path: REQUIRES.sub(requires, each.content.decode(errors="replace"), count=1) for each in files}
    return failure.with_files(texts), f"`{requires}`, where the post states none"
