"""Check whether an MRE is ready to be shared."""

import getpass
import os
import platform
import shlex
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.generated.names import GATEWAY, OTHER_SCRIPT, SCRIPT, is_generated
from uvmre.core.generated.run_script import generated_files
from uvmre.core.mre.model import BUNDLED, MANIFEST, Mre
from uvmre.core.outcome.result import Result
from uvmre.core.progress import Progress
from uvmre.core.secrets.private import Machine, PrivatePart, find_private
from uvmre.core.secrets.redact import secrets
from uvmre.errors import CannotTell, UsageError
from uvmre.flows.gateway import gateway
from uvmre.flows.options import RunOptions
from uvmre.flows.run import run
from uvmre.flows.shrink import is_minimal
from uvmre.folder.read import read_mre
from uvmre.folder.written import read_origin
from uvmre.releases import binaries
from uvmre.report.github import LIMIT, fits_limit, github
from uvmre.run import process
from uvmre.run.engines import availability
from uvmre.run.process import Finished

Status = Literal["ok", "fault", "skipped", "unknown"]

SPARE_SECONDS = 120
"""What the script may take beside its steps."""
SEARCH_SECONDS = 60.0
"""The time in which the parts that can be removed are looked for."""
IMAGE = "uvmre-check"
REPORT = "the report"


@dataclass(frozen=True)
class ReadinessCheck:
    """One of the checks, and what it found."""

    name: str
    status: Status
    reason: str
    remedy: str = ""
    """A command to type, or an edit to make."""
    places: tuple[PrivatePart, ...] = ()
    """What looks private."""


@dataclass(frozen=True)
class Readiness:
    """Whether an MRE is ready to be shared."""

    checks: tuple[ReadinessCheck, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 if it is ready, 1 if it is not, and 125 if that cannot be told."""
        found = {check.status for check in self.checks}
        return 1 if "fault" in found else 125 if "unknown" in found else 0


def check(folder: Path, options: RunOptions, *, progress: Progress | None = None) -> Readiness:
    """Run the MRE in `folder`, search it for private parts, and tell whether it is ready to be shared.

    Args:
        folder: the MRE.
        options: how it is run.
        progress: a progress callback.

    Raises:
        UsageError: if the folder, the release or the backend is not available.
        CannotTell: if the network, the disk or the interpreter is not.
        Interrupted: on ^C.
    """
    progress, mre = progress or Progress(), read_mre(folder)
    result = run(folder, options, mre=mre, progress=progress)
    checks = [_symptom(folder, result)]
    if result.base.outcome.word == "shows":
        checks += [_controls(folder, mre, result), _minimal(folder, options, progress)]
        checks += _alone(folder, mre, options, result.uv, progress)
    else:
        checks += [
            ReadinessCheck(name, "skipped", "the symptom does not show") for name in ("controls", "minimal", "run.sh")
        ]
    markdown = github(mre, result)
    return Readiness((*checks, _private(folder, mre, markdown), _report(folder, mre, result, markdown)))


def _symptom(folder: Path, result: Result) -> ReadinessCheck:
    word, reason = result.base.outcome.word, result.base.outcome.reason
    if word == "shows":
        return ReadinessCheck("symptom", "ok", f"it shows on uv {result.uv}: {reason}")
    status: Status = "unknown" if word == "broken" else "fault"
    remedy = result.feedback.get("next_edit", "") or f"uvmre run {shlex.quote(str(folder))} -v"
    return ReadinessCheck("symptom", status, f"{word} on uv {result.uv}: {reason}", remedy)


def _controls(folder: Path, mre: Mre, result: Result) -> ReadinessCheck:
    if not mre.controls:
        return ReadinessCheck("controls", "skipped", "it has none")
    if result.verdict.exit_code == 0:
        count = len(mre.controls)
        return ReadinessCheck(
            "controls", "ok", "it behaves as expected" if count == 1 else f"all {count} behave as expected"
        )
    broken = any(each.outcome.word == "broken" for each in result.variants)
    status: Status = "unknown" if broken else "fault"
    return ReadinessCheck("controls", status, result.verdict.reason, f"uvmre run {shlex.quote(str(folder))} -v")


def _minimal(folder: Path, options: RunOptions, progress: Progress) -> ReadinessCheck:
    remedy = f"uvmre shrink {shlex.quote(str(folder))}"
    try:
        parts, complete = is_minimal(folder, options, seconds=SEARCH_SECONDS, progress=progress)
    except (UsageError, CannotTell) as error:
        return ReadinessCheck("minimal", "unknown", error.summary, error.hint)
    if parts:
        shown = ", ".join(parts[:3]) + (f" and {len(parts) - 3} more" if len(parts) > 3 else "")
        return ReadinessCheck("minimal", "fault", f"the symptom shows without {shown}", remedy)
    if not complete:
        why = f"{SEARCH_SECONDS:.0f} s were not enough to run it without each of its parts"
        return ReadinessCheck("minimal", "unknown", why, remedy)
    return ReadinessCheck("minimal", "ok", "no part can be removed")


def _alone(folder: Path, mre: Mre, options: RunOptions, release: str, progress: Progress) -> list[ReadinessCheck]:
    """Check that it works without uvmre: its script in a plain shell, and its image where there is an engine."""
    place = shlex.quote(str(folder))
    script = next((name for name in (OTHER_SCRIPT, SCRIPT) if (folder / name).is_file()), "")
    rewrite = (
        f"uvmre report {place} --format dockerfile > one.dockerfile; uvmre new NEW --from-dockerfile one.dockerfile"
    )
    origin = options.origin or read_origin(folder)
    if origin and not options.trust:
        why = f"the MRE came from {origin}, and a plain shell is no sandbox"
        return [ReadinessCheck("run.sh", "skipped", why, f"uvmre check {place} --trust")]
    if not script:
        return [ReadinessCheck("run.sh", "fault", f"there is no `{SCRIPT}`", rewrite)]
    progress.detail(f"running {script}")
    done = _run_script(folder / script, release, mre, options, {})
    if done.exit == 0:
        return [
            ReadinessCheck("run.sh", "ok", f"`sh {script}` exits with 0, as `uvmre run`"),
            *_image(folder, place, options),
        ]
    reason = f"`sh {script}` exits with {done.exit}: {process.failure(done).strip(' ─▶╰')}"
    if done.exit == 125:
        with gateway(folder, options) as served:
            if _run_script(folder / script, release, mre, options, served.variables).exit == 0:
                return [
                    ReadinessCheck(
                        "run.sh", "ok", f"`sh {script}` exits with 0, with the gateway of `uvmre gateway {place}`"
                    )
                ]
    generated = {file.path: file.content for file in generated_files(mre)}
    if generated.get(script, own := (folder / script).read_bytes()) != own:
        return [ReadinessCheck("run.sh", "fault", f"{reason}; it was not written for this `{MANIFEST}`", rewrite)]
    return [ReadinessCheck("run.sh", "unknown" if done.exit == 125 else "fault", reason, f"sh {place}/{script}")]


def _run_script(path: Path, release: str, mre: Mre, options: RunOptions, variables: Mapping[str, str]) -> Finished:
    """Run the script of an MRE in a plain shell, with uv in PATH."""
    bundled = path.parent / BUNDLED
    _, uv = binaries.get(release, options.cache, lambda *_: None, bundled=bundled, offline=options.offline)
    own = {name: value for name, value in os.environ.items() if name != GATEWAY}
    return process.run(
        ["/bin/sh", str(path.resolve())],
        cwd=Path("/"),
        environment={**own, **variables, "PATH": f"{uv.parent}:{os.environ.get('PATH', os.defpath)}"},
        timeout=sum(step.timeout for step in mre.steps) + SPARE_SECONDS,
        stop=threading.Event(),
    )


def _image(folder: Path, place: str, options: RunOptions) -> list[ReadinessCheck]:
    """Build the generated Dockerfile and run the image; a Dockerfile of the MRE itself is built by the script."""
    path = folder / DOCKERFILE
    if not path.is_file() or not is_generated(DOCKERFILE, path.read_bytes()):
        return []
    engine = availability.detect("docker")
    if engine.why or options.offline:
        return [ReadinessCheck("docker", "skipped", engine.why or "it needs the network")]
    remedy = f"docker build -t {IMAGE} {place} && docker run --rm {IMAGE}"
    done = availability.call(engine, ["build", "--quiet", "--tag", IMAGE, str(folder.resolve())])
    if done.exit:
        return [ReadinessCheck("docker", "unknown", f"the image cannot be built: {process.failure(done)}", remedy)]
    done = availability.call(engine, ["run", "--rm", IMAGE])
    availability.call(engine, ["rmi", "--force", IMAGE])
    if done.exit:
        return [
            ReadinessCheck("docker", "fault", f"the container exits with {done.exit}: {process.failure(done)}", remedy)
        ]
    return [ReadinessCheck("docker", "ok", "the container exits with 0, as `uvmre run`")]


def private_parts(folder: Path, markdown: str) -> list[PrivatePart]:
    """Return what looks private in the files of an MRE, and in its report."""
    return list(_private(folder, read_mre(folder), markdown).places)


def _private(folder: Path, mre: Mre, markdown: str) -> ReadinessCheck:
    """Look for what is private in the files of the folder, and in the report."""
    contents = {file.path: file.content for file in mre.files}
    for name in (MANIFEST, *(file.path for file in generated_files(mre))):
        if (folder / name).is_file():
            contents[name] = (folder / name).read_bytes()
    texts = {name: "" if b"\0" in content else content.decode(errors="replace") for name, content in contents.items()}
    machine = Machine(getpass.getuser(), platform.node(), str(Path.home()))
    found = list(find_private(texts, machine, secrets(mre)))
    # What a file has is in the report because of it.
    inside = {(each.kind, each.text) for each in found}
    found += [each for each in find_private({REPORT: markdown}, machine) if (each.kind, each.text) not in inside]
    if mre.private:
        found.insert(0, PrivatePart(MANIFEST, "marker", "private = true"))
    if not found:
        binary = sum(b"\0" in content for content in contents.values())
        note = f", but {binary} are binary" if binary else ""
        return ReadinessCheck("private", "ok", f"nothing looks private in {len(texts)} files{note}, nor in the report")
    kinds = sorted({each.kind for each in found})
    remedy = "replace each by a neutral one, as gitlab.example.com, person@example.com or public:heron"
    return ReadinessCheck(
        "private", "fault", f"{len(found)} parts look private: {', '.join(kinds)}", remedy, tuple(found)
    )


def _report(folder: Path, mre: Mre, result: Result, markdown: str) -> ReadinessCheck:
    if fits_limit(mre, result):
        return ReadinessCheck(
            "report", "ok", f"it has {len(markdown.encode())} of the {LIMIT} bytes that GitHub allows"
        )
    reason = f"files are left out of it: it is longer than the {LIMIT} bytes that GitHub allows"
    return ReadinessCheck("report", "fault", reason, f"uvmre shrink {shlex.quote(str(folder))}")
