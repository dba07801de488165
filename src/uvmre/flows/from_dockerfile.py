"""Make an MRE of a Dockerfile: complete its build context, choose the release, and run it once for its symptom."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from uvmre import files
from uvmre.capture.error import cause_of, failed_step, symptom_of
from uvmre.core.dockerfile import completion
from uvmre.core.dockerfile.build_context import copy_sources
from uvmre.core.dockerfile.comments import MARK
from uvmre.core.dockerfile.completion import LOCK, PYPROJECT, Needs
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.dockerfile.parser import DOCKERFILE, Instruction, called_programs, parse, stages
from uvmre.core.dockerfile.single_file import find_versions, read_back
from uvmre.core.mre import manifest
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Deviation, Environment, Mre, Step
from uvmre.core.mre.symptom import FileSymptom, Symptom
from uvmre.core.network.index import StaticAnswer
from uvmre.core.network.simple_page import cutoff_time
from uvmre.core.outcome.matching import match
from uvmre.core.outcome.observation import Observation
from uvmre.core.progress import Progress
from uvmre.core.search.selector import select_one
from uvmre.core.triage.fill_in import NO_SYMPTOM, STUB
from uvmre.core.triage.parsed_issue import PostedFile
from uvmre.errors import CannotTell
from uvmre.flows.capturing.prove import Prover
from uvmre.flows.new import REPORT
from uvmre.flows.options import RunOptions
from uvmre.folder.read import read_files
from uvmre.folder.write import Confirm, require_usable, write_mre
from uvmre.issue.files.inferred import infer_files
from uvmre.releases import catalogue

IMAGE = "a Dockerfile"
"""Where an MRE comes from whose steps are for the root of a container, wherever its author has it from."""
NOT_HERE = "it is not in the Dockerfile's folder"
INTO_SYSTEM = "into the system's Python"
NO_RUN_TELLS = "the symptom is to be filled in: the run"
MOST_RUNS = 12
EMPTY_LOCK = b'version = 1\nrequires-python = ">=3"\n'
READS_LOCK = re.compile(r"(?m)^((?![^\S\n]*#).{0,500}?)\buv\s{1,9}(?=(?:sync|run|export|tree)\b)")
PYTHON = re.compile(r"python|pip|pytest")
TEXTS = re.compile(r"(?:^|/)(?:README|LICENSE|CHANGELOG)[^/]*\Z")
"""Files whose content makes nothing fail."""
OF_MACHINE = re.compile(
    r"No interpreter found|No download found|Permission denied|fatal error: \S+\.h\b|shared object file"
    r"|(?<![\w./-])(?:gcc|g\+\+|cc1?|clang|pg_config|cargo|rustc|cmake|ninja|pkg-config|nvcc)(?![\w-])"
)
"""Errors of what this machine lacks, such as what a skipped RUN installs."""
OF_COMMAND = re.compile(
    r"(?m)^error: (?:unexpected argument|unrecognized subcommand|the argument|invalid value|a value is required"
    r"|the following required)"
)
"""Errors of a command line, which no file causes."""
NO_ENVIRONMENT = "No virtual environment found"


@dataclass(frozen=True)
class Completed:
    """What a Dockerfile became."""

    lines: tuple[str, ...] = ()
    """What was inferred, left out and found."""
    undecided: bool = False
    """Whether the run could not tell the symptom."""


def from_dockerfile(
    dockerfile: Path,
    target: Path,
    options: RunOptions,
    *,
    answers: Mapping[str, Any],
    day: date | None = None,
    ask: Callable[[str], str] | None = None,
    force: bool = False,
    confirm: Confirm | None = None,
    progress: Progress | None = None,
) -> Completed:
    """Make an MRE in `target` of a Dockerfile, whose RUNs are its steps.

    Args:
        dockerfile: it; files are copied from its folder, and missing ones are inferred.
        target: an empty or new folder.
        options: how it is run.
        answers: details that a Dockerfile lacks, by name.
        day: the cutoff date of PyPI, and of uv where no release is named; by default, none and today.
        ask: asks for the path of a missing file; an empty one stands for a skeleton.
        force: replace the files of an MRE that uvmre wrote there.
        confirm: asked for confirmation unless `force` is set.
        progress: a progress callback.

    Raises:
        UsageError: if the Dockerfile, an answer or the folder is invalid.
    """
    require_usable(target, may_replace=force or confirm is not None)
    text = files.read_text(dockerfile).removeprefix("\ufeff")
    if MARK in text.splitlines():  # a report, which has all of it; it is somebody's
        mre = _checked(read_back(text, str(dockerfile), answers, lambda: read_files(dockerfile.parent)))
        write_mre(mre, target, force=force, confirm=confirm, origin=REPORT)
        return Completed()
    instructions, options = parse(text, str(dockerfile)), replace(options, origin=IMAGE)
    uv, python, deviations = _versions(instructions, answers, options, day)
    needs, context = completion.needs_of(instructions), _context(dockerfile.parent, target)
    context += _given(needs, context, ask)
    made = _inferred(needs, context, python)
    context += tuple(file for file, _ in made)
    prover, environment = Prover(options, progress or Progress()), Environment(uv, python, exclude_newer=day)
    for path in [path for path in needs.paths if path.endswith(LOCK) and not copy_sources(path, context)]:
        lock, why = _lock(path, environment, context, prover)
        context += (File(path, lock or EMPTY_LOCK),)
        text = text if lock else READS_LOCK.sub(r"\1uv lock && uv ", text, count=1)
        to = f"one that `uv lock` makes with uv {uv}" if lock else f"made by a RUN, as `uv lock` fails: {why}"
        deviations.append(Deviation(f"{needs.paths[path]} `{path}`", to, NOT_HERE, decides=True))
    given: dict[str, Any] = {"uv": uv, "python": python, **answers}
    if unknown := not {"output", "exit"} & answers.keys():
        given["output"] = list(STUB.output)
    mre = read_back(text, str(dockerfile), given, lambda: context)
    made = [(file, deviation) for file, deviation in made if mre.file(file.path)]
    deviations += [deviation for _, deviation in made]
    mre = replace(mre, environment=replace(mre.environment, exclude_newer=day))
    mre, found = _checked(replace(mre, symptom=STUB) if unknown else mre), ""
    if unknown:
        inferred = any(not TEXTS.search(file.path) for file, _ in made)
        mre, found = _observe(mre, deviations, prover, inferred=inferred)
    comments = [NO_SYMPTOM, found] if mre.symptom == STUB else []
    mre = replace(mre, steps=(), deviations=tuple(deviations))
    write_mre(mre, target, force=force, confirm=confirm, origin=IMAGE, comments=comments)
    lines = [f"{each.from_}: {each.to} ({each.why})" for each in deviations]
    return Completed((*lines, *filter(None, [found])), found.startswith(NO_RUN_TELLS))


def _checked(mre: Mre) -> Mre:
    """Return an MRE whose manifest is valid, as any other is: an answer may be anything."""
    manifest.parse(manifest.dump(mre), source="The manifest that the answers make", dockerfile=True)
    return mre


def _context(folder: Path, target: Path) -> tuple[File, ...]:
    """Return the files of the Dockerfile's folder, without those of an MRE that is replaced there."""
    own, inner = folder.resolve(), target.resolve()
    found = read_files(folder)
    if own == inner or not inner.is_relative_to(own):
        return found
    return tuple(file for file in found if not (own / file.path).is_relative_to(inner))


def _versions(
    instructions: Sequence[Instruction], answers: Mapping[str, Any], options: RunOptions, day: date | None
) -> tuple[str, str, list[Deviation]]:
    """Return the release of uv, the Python version, and what is said of the release."""
    uv, python = find_versions(*stages(instructions), instructions)
    uv, python = str(answers.get("uv", "") or uv), str(answers.get("python", "") or python)
    if uv:
        return uv, python, []
    name, selector = completion.requested_release(instructions)
    until = day or datetime.now(UTC).date()
    try:
        known = catalogue.load(options.cache, offline=options.offline).releases
    except CannotTell:  # each run resolves it
        return f"@{until}", python, []
    uv = select_one(selector, [each for each in known if each.date and each.date < cutoff_time(until)]).version
    return uv, python, [Deviation(f"`{name}`", f"uv {uv}", f"the newest of {until} (UTC)")]


def _given(needs: Needs, context: Sequence[File], ask: Callable[[str], str] | None) -> tuple[File, ...]:
    """Return the missing files whose paths are given."""
    found = list[File]()
    for path in [path for path in needs.paths if ask and not copy_sources(path, context)]:
        while ask and (answer := ask(f"{needs.paths[path]} `{path}`: path of it, or Enter for a skeleton")):
            source = Path(answer).expanduser()
            if source.is_dir() and path.endswith("/"):
                found += [replace(file, path=f"{path}{file.path}") for file in read_files(source)]
            elif source.is_file() and not path.endswith("/"):
                found.append(File(path, source.read_bytes()))
            else:
                continue
            break
    return tuple(found)


def _inferred(needs: Needs, context: Sequence[File], python: str) -> list[tuple[File, Deviation]]:
    """Return the missing files that projects or instructions need."""
    texts = [PostedFile(each.path, each.content.decode(errors="replace"), 0, "") for each in context]
    projects = [each for each in texts if each.path.endswith(PYPROJECT)]
    more = infer_files(texts, (), python=python) if projects else []
    made = [(File(each.path, each.text.encode()), f"a project needs `{each.path}`") for each in more]
    known = [*context, *(file for file, _ in made)]
    left = completion.skeletons(needs, [path for path in needs.paths if not copy_sources(path, known)], python)
    made += [(file, f"{needs.paths[path]} `{path}`") for path, file in left.items()]
    return [(file, Deviation(who, f"the skeleton `{file.path}`", NOT_HERE, decides=True)) for file, who in made]


def _lock(path: str, environment: Environment, context: Sequence[File], prover: Prover) -> tuple[bytes, str]:
    """Return a lock file that the MRE's own release makes behind the gateway, or why there is none."""
    step = Step(f"cd ./{PurePosixPath(path).parent} && uv lock", "observe")
    symptom = Symptom(files=(FileSymptom(path, exists=True),))
    try:
        observation = prover.observe(Mre("lock", environment, (step,), symptom, files=tuple(context)))
    except CannotTell as error:
        return b"", error.message
    if failed := failed_step(observation):
        return b"", cause_of(failed).links[-1]
    return (observation.files[0].content or "").encode() if observation.files else b"", observation.obstacle


def _observe(mre: Mre, deviations: list[Deviation], prover: Prover, *, inferred: bool) -> tuple[Mre, str]:
    """Run an MRE for its symptom; return it, and what was found.

    What has nothing to do with uv and cannot be run here is changed, added to `deviations`, and run again.
    """
    for _ in range(MOST_RUNS):
        mre = with_steps(replace(mre, steps=()))
        try:
            observation = prover.observe(mre)
        except CannotTell as error:
            return mre, f"{NO_RUN_TELLS} was stopped: {error.message}"
        adapted, how = _adapted(mre, observation, inferred=inferred)
        if not how:
            break
        mre = adapted
        deviations += how
    failed = failed_step(observation)
    symptom = symptom_of(failed) if failed else STUB
    outcome = match(symptom, observation)
    if outcome.word == "broken":
        return mre, f"{NO_RUN_TELLS} was stopped: {outcome.reason}"
    if failed is None:
        return mre, "nothing fails: the symptom is to be filled in"
    cause = cause_of(failed)
    what = f"`{failed.title}` fails: {cause.links[-1]}"
    replaced = any(answer.host in failed.stderr for answer in mre.answers)
    if replaced or cause.network or failed.exit in (126, 127) or OF_MACHINE.search(failed.stderr):
        return mre, f"{NO_RUN_TELLS} fails, perhaps because of this machine: {what}"
    independent = OF_COMMAND.search(failed.stderr) or (NO_ENVIRONMENT in failed.stderr and mre.environment.python)
    if inferred and not independent:
        return mre, f"{NO_RUN_TELLS} fails, perhaps because of what is inferred: {what}"
    return replace(mre, symptom=symptom, title=what), f"the symptom: {what}"


def _adapted(mre: Mre, observation: Observation, *, inferred: bool) -> tuple[Mre, list[Deviation]]:
    """Return an MRE that gets further than the observed one, and how; itself if there is nothing to change."""
    foreign = [step.run for step in mre.steps if not _programs(step.run) & {"uv", "uvx"}]
    last = next((each for each in observation.steps if each.exit), None)
    text = (mre.file(DOCKERFILE) or File("", b"")).content.decode()
    if hosts := _refused_hosts(observation, foreign):
        answers = (StaticAnswer(f"https://{host}/*", status=404) for host in hosts)
        how = [Deviation(f"a RUN without uv fetches from {host}", "404", "it is no host of uv's") for host in hosts]
        return replace(mre, answers=(*mre.answers, *answers)), how
    if INTO_SYSTEM in observation.obstacle:
        after, why = completion.in_environment(text), "without an engine, that is the machine's"
        how = [Deviation(f"installs {INTO_SYSTEM}", "a virtual environment", why, decides=True)]
    elif last and last.run in foreign and (inferred or not any(map(PYTHON.match, _programs(last.run)))):
        after, why = completion.ignoring(text, last.run), f"here it fails ({last.exit}), and it does not call uv"
        how = [Deviation(f"`RUN {last.title}`", "its failure is ignored", why, decides=True)]
    else:
        return mre, []
    changed = (replace(each, content=after.encode()) if each.path == DOCKERFILE else each for each in mre.files)
    return replace(mre, files=tuple(changed)), how if after != text else []


def _programs(run: str) -> set[str]:
    return {name.rpartition("/")[2] for name in called_programs(run)}


def _refused_hosts(observation: Observation, runs: Sequence[str]) -> list[str]:
    """Return the hosts that only some RUNs ask for, and that the gateway refuses."""
    hosts: dict[bool, set[str]] = {True: set(), False: set()}
    left = list(observation.requests)
    for step in observation.steps:
        hosts[step.run in runs] |= {each.host for each in left[: step.requests] if each.answered_by == "refused"}
        left = left[step.requests :]
    return sorted(hosts[True] - hosts[False])
