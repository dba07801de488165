"""Gaps: files, variables and commands that are not in the post, each with a question to the reporter."""

import re
from collections.abc import Sequence

from uvmre.core.shell import statements
from uvmre.core.triage.parsed_issue import Claim, Command, Gap, PostedFile
from uvmre.issue.files import content_type, pyproject

NEEDS_PROJECT = re.compile(
    r"^(?:\w+=\S* )*uv\s+(?:-[\w-]+(?:=\S+)?\s+)*(?:sync|lock|add|remove|tree|export|run|build|version)\b"
)
NEEDS_NO_PROJECT = re.compile(
    r"--no-project|--script|--isolated|--with\b|--help|-h\b|\.py\b|-m\s|-c\s|--python\b|\brun\s+python\b|--show-version"
)
CREATES_PROJECT = re.compile(r"\buv\s+init\b|pyproject\.toml")
FILE_ARGUMENT = re.compile(
    r"(?:(?:-r|--requirements?|-c|--constraints?|--overrides?|compile"
    r"|sync)[ =]+)(?P<path>(?:[\w.-]+/)*[\w.-]+\.(?:txt|in|toml))\b"
)
SHORTENED = re.compile(
    r"(?i)\b(?:shortened|truncated|excerpts?|abbreviated|simplified|redacted|relevant parts?|parts? of"
    r"|snippets?)\b"
)
OTHER_PATH_OPTION = re.compile(
    r"--(?:target|prefix|cache-dir|output-file|out-dir|directory|project|python)\b|\s-o\b|\s-p\b"
)
_SHELL_VARIABLES = "HOME PWD TMPDIR PATH VIRTUAL_ENV USER SHELL OLDPWD RANDOM HOSTNAME _ ? $"
SHELL_VARIABLES = frozenset(_SHELL_VARIABLES.split())
CREATES_FILE = re.compile(r"(?:mkdir|uv\s+init|uv\s+build|python|cp|mv|touch|git\s+init|uv\s+venv)\b")


def file_question(path: str) -> str:
    """Return the question for a missing file."""
    return f"What is in `{path}`? Please post it in full, or reduced to what still shows the problem."


def missing_files(
    commands: Sequence[Command], claim: Claim, files: Sequence[PostedFile], paths: set[str], *, from_dockerfile: bool
) -> list[Gap]:
    """Return the files that the commands need and the post does not show."""
    found: list[Gap] = []
    upto = commands[: claim.command + 1] if claim.command >= 0 else commands
    created = {word.rstrip("/") for each in upto for word in each.run.split() if CREATES_FILE.match(each.run)}
    project = any(path.rpartition("/")[2] == "pyproject.toml" for path in paths)
    for each in upto:
        created |= {
            match["path"] for match in re.finditer(r"(?:>{1,2}|-o|--output-file|tee)[ =]*(?P<path>[\w./-]+)", each.run)
        }
        for match in FILE_ARGUMENT.finditer(each.run):
            path = match["path"].removeprefix("./")
            if (
                path not in paths
                and path not in created
                and not path.endswith("pyproject.toml")
                and "<<" not in each.run
            ):
                found.append(Gap(each.line, f"`{path}` is not in the post", not claim.test, file_question(path)))
        project = project or bool(
            CREATES_PROJECT.search(each.run) and not re.search(r"(?:compile|-r)\s+pyproject", each.run)
        )
        if (
            NEEDS_PROJECT.match(each.run)
            and not project
            and not NEEDS_NO_PROJECT.search(each.run)
            and not re.search(r"\buv\s+add\b", each.run)
        ):
            found.append(Gap(each.line, "`pyproject.toml` is not in the post", True, file_question("pyproject.toml")))
            project = True
        if (
            re.search(r"--(?:locked|frozen)\b|lock --check", each.run)
            and not from_dockerfile
            and "uv.lock" not in paths
        ):
            locked = any(
                re.search(r"\buv\s+(?:lock|sync|add|run)\b(?!.{0,500}--(?:locked|frozen|check))", other.run)
                for other in upto
            )
            if not locked:
                found.append(Gap(each.line, "`uv.lock` is not in the post", False, file_question("uv.lock")))
        found += _missing_paths(each, paths, created, project=project)
    for file in files:
        if file.path.endswith((".toml", ".lock")) and content_type.parse_toml(file.text) is None and not file.inferred:
            found.append(
                Gap(
                    file.line,
                    f"`{file.path}` is not valid TOML as posted",
                    claim.kind != "failure",
                    file_question(file.path),
                )
            )
    return found


def shortened_files(files: Sequence[PostedFile], sentences: Sequence[tuple[str, int]]) -> list[Gap]:
    """Return the files that the post shows only in part."""
    found = []
    for file in files:
        lead = next((text for text, line in reversed(sentences) if line <= file.line), "")
        if pyproject.ELIDED in file.why or (not file.inferred and SHORTENED.search(lead)):
            found.append(Gap(file.line, f"`{file.path}` is posted only in part", False, file_question(file.path)))
    return found


def _missing_paths(command: Command, paths: set[str], created: set[str], *, project: bool) -> list[Gap]:
    """Return the directories and archives in the arguments of a uv command that are not in the post."""
    found = []
    for part in statements.statements(command.run):
        if part.program not in ("uv", "uvx") or part.argv[1:2] in (("init",), ("venv",), ("build",)):
            continue
        for word in part.argv[2:]:
            path = word.split("=")[-1].split("[")[0].removeprefix("file://")
            if path in (".", "./") and not project and "pip" in part.argv:
                found.append(
                    Gap(command.line, "`pyproject.toml` is not in the post", True, file_question("pyproject.toml"))
                )
            if not re.fullmatch(r"\.{1,2}/[\w./-]*\w|(?:[\w.-]+/)*[\w.-]+\.(?:whl|tar\.gz)", path):
                continue
            clean = path.removeprefix("./").rstrip("/")
            if clean not in created and not any(each == clean or each.startswith(f"{clean}/") for each in paths):
                found.append(
                    Gap(
                        command.line,
                        f"`{path}` is not in the post",
                        not OTHER_PATH_OPTION.search(command.run),
                        file_question(path),
                    )
                )
    return found


def unclear_claim(commands: Sequence[Command], claim: Claim) -> list[Gap]:
    """Return what is unknown about the symptom."""
    if claim.kind != "none":
        return []
    if not any(re.search(r"\buvx?\b", each.run) for each in commands):
        question = "Which commands show the problem? Please post them with their complete output."
        return [Gap(1, "the post contains no uv command", True, question)]
    return [Gap(1, "the symptom is unclear", True, "What does the last command print, and what is expected instead?")]


def undefined_variables(commands: Sequence[Command], claim: Claim, variables: Sequence[tuple[str, str]]) -> list[Gap]:
    """Return the variables that a command uses and the post does not set."""
    upto = commands[: claim.command + 1] if claim.command >= 0 else commands
    known = set(SHELL_VARIABLES)
    found = []
    for each in upto:
        for part in statements.statements(each.run):
            known |= {name for name, _ in part.assignments}
            known |= {
                word.split("=")[0] for word in part.argv[1:] if part.program in ("export", "for", "read", "declare")
            }
        known |= {name for name, _ in variables}
        known |= set(re.findall(r"\bfor\s+(\w+)\s+in\b", each.run)) | set(re.findall(r"(?:^|[;&\s])(\w+)=", each.run))
        unquoted = re.sub(r"'[^']*'", "", each.run)
        for match in re.finditer(r"(?<!\\)\$\{?([A-Za-z_]\w*)", unquoted):
            if match[1] not in known and not re.match(r"(?:echo|printenv)\b", each.run) and "<<" not in each.run:
                known.add(match[1])
                found.append(
                    Gap(
                        each.line, f"`${match[1]}` is not set in the post", True, f"What is the value of `${match[1]}`?"
                    )
                )
    return found
