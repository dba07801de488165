"""A `docker build` as what an MRE needs of it: its Dockerfile, its arguments and its secrets."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from uvmre.capture.project import UserProject
from uvmre.core.dockerfile.interpret import with_steps
from uvmre.core.dockerfile.parser import DOCKERFILE
from uvmre.core.dockerfile.single_file import read_back
from uvmre.core.mre.files import File
from uvmre.core.mre.model import Mre
from uvmre.errors import InputError

ENGINES = ("docker", "podman", "buildah")
VERBS = ("build", "bud")
NAME = {"-f": "--file"}


@dataclass(frozen=True)
class DockerBuild:
    """The arguments of a build that decide what its RUNs do."""

    engine: str
    file: str
    context: str
    arguments: Mapping[str, str]
    secrets: Mapping[str, str]
    """The variable or the file of each secret, by its id."""


def docker_build(command: str) -> DockerBuild | None:
    """Return the build that a command does; None if it does something else."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if not words or words[0] not in ENGINES or not set(words[1:3]) & set(VERBS):
        return None
    options: list[tuple[str, str]] = []
    context, at = ".", 1
    while at < len(words):
        name, equals, value = words[at].partition("=")
        if equals and name.startswith("--"):
            options.append((name, value))
        elif name in ("-f", "-t", "--file", "--tag", "--build-arg", "--secret", "--target", "--platform", "--progress"):
            at += 1
            options.append((NAME.get(name, name), words[at] if at < len(words) else ""))
        elif not name.startswith("-") and name not in ("buildx", "image", *VERBS):
            context = words[at]
        at += 1
    secrets = [
        dict(part.partition("=")[::2] for part in value.split(",")) for name, value in options if name == "--secret"
    ]
    default = DOCKERFILE if context == "." else f"{context.rstrip('/')}/{DOCKERFILE}"
    return DockerBuild(
        words[0],
        next((value for name, value in options if name == "--file"), default),
        context,
        {value.partition("=")[0]: value.partition("=")[2] for name, value in options if name == "--build-arg"},
        {
            each["id"]: each.get("src") or each.get("source") or each.get("env") or each["id"]
            for each in secrets
            if "id" in each
        },
    )


def with_build(mre: Mre, project: UserProject, build: DockerBuild) -> Mre:
    """Return an MRE whose steps are the RUNs of a build.

    Raises:
        InputError: if there is no such Dockerfile, or it is not valid.
    """
    text = project.text(build.file)
    if not text:
        raise InputError(f"`{build.file}` does not exist, or is empty", [], "name the Dockerfile with `-f`")
    prefix = "" if build.context == "." else f"{build.context.strip('/')}/"
    context = [
        replace(each, path=each.path.removeprefix(prefix)) for each in project.files if each.path.startswith(prefix)
    ]
    answers = {
        "uv": mre.environment.uv,
        "title": mre.title,
        "exit": mre.symptom.exit,
        "output": list(mre.symptom.output),
    }
    read = read_back(text, build.file, answers, lambda: context)
    known = {each.path for each in read.files}
    variables = dict(mre.environment.variables)
    variables |= {name: value or variables.get(name, "") for name, value in build.arguments.items()}
    files = list(read.files)
    for name, source in build.secrets.items():
        named = [each for each in project.files if each.path == source]
        named += [each for each in project.home if source.endswith(f"/{each.path}")]
        if named:
            files.append(File(name, named[0].content))
        else:
            variables[name] = variables.get(source, "")
    others = [each for each in mre.files if each.path.startswith(("home/", "git/")) and each.path not in known]
    python = read.environment.python or mre.environment.python
    environment = replace(mre.environment, variables=variables, python=python, uv=read.environment.uv)
    return with_steps(replace(mre, environment=environment, steps=(), files=(*files, *others)))
