"""What the reporter has and the post omits: projects, tools, lock files, requirements, files that an error names."""

import re
from collections.abc import Sequence
from dataclasses import replace

from uvmre.core.triage.parsed_issue import Command, PostedFile
from uvmre.issue.files import content_type, names, pyproject
from uvmre.issue.markdown import blocks

BUILD_OF = re.compile(
    r"(?:Failed to (?:build|prepare)|Building"
    r"|Failed to fetch wheel):? `?(?P<name>[A-Za-z][\w.-]*) @ file:///(?:[\w.-]+/)*(?P<folder>[\w.-]+)`?"
)
INDEX_OF_ERROR = re.compile(r"An index URL\s+\((?P<url>https?://[^)\s]+)\)")
INDEX_VARIABLE = re.compile(r"\bUV_INDEX_(?P<name>[A-Z0-9_]+?)_(?:USERNAME|PASSWORD)\b")
NO_PROJECT = re.compile(r"No `?project`? (?:table|section) found in")
UNMANAGED = re.compile(r"[Pp]roject is marked as unmanaged")
UV_ADD = re.compile(r"uv\s+(?:--\S+\s+){0,12}add\s(?!.{0,500}--script)")
QUOTED = re.compile(
    r"(?!(?:python|uv)\b)[A-Za-z][\w.-]{0,80}(?:\[[\w,. -]{1,80}\])?"
    r"\s?(?:(?<=\])|[<>=!~]=?=?\s?\d[\w.*+!<>=~, -]{0,80})"
)
INIT = re.compile(r"\buv\s+init\b")
WRITES_PROJECT = re.compile(r"(?:\b(?:touch|tee|cp|mv|curl|wget)\b[^;&|\n]{0,200}|>\s{0,3})\bpyproject\.toml\b")


def required_project(commands: Sequence[Command], python: str) -> PostedFile | None:
    """Return the project that the commands or their output require; None if they require none."""
    if any(WRITES_PROJECT.search(each.run) for each in commands):
        return None
    project_text = pyproject.minimal("project", python)
    for pattern, text, why in (
        (NO_PROJECT, "[tool.uv.workspace]\nmembers = []\n", "the error says that it has no [project]"),
        (UNMANAGED, f"{project_text}\n[tool.uv]\nmanaged = false\n", "the error says that it is unmanaged"),
    ):
        for each in commands:
            if pattern.search(each.output):
                return PostedFile("pyproject.toml", text, each.line, why, inferred=True)
    if any(INIT.search(each.run) for each in commands):
        return None
    adding = next((each for each in commands if UV_ADD.match(each.run)), None)
    if adding is None:
        return None
    return PostedFile(
        "pyproject.toml",
        project_text,
        adding.line,
        "`uv add` requires a project, and the post shows none",
        inferred=True,
    )


def quoted_requirements(sentences: Sequence[str]) -> tuple[str, ...]:
    """Return the requirements in the sentences' inline code: a version or an extra shows that it is one."""
    codes = (code for sentence in sentences for code, _ in blocks.inline_code(sentence))
    return tuple(dict.fromkeys(code for code in codes if QUOTED.fullmatch(code)))


def required_tools(commands: Sequence[Command]) -> list[Command]:
    """Return the installation of the first tool that a listing shows, if no command installs it."""
    if any(re.search(r"\buv\s+tool\s+install\b|\buvx\b", each.run) for each in commands):
        return []
    for each in commands:
        if not re.match(r"uv\s+tool\s+(?:list|upgrade|uninstall|dir)\b", each.run):
            continue
        if found := re.search(r"^(?P<name>[a-z][\w.-]*) v(?P<version>\d[\w.]*)$", each.output, re.MULTILINE):
            why = f"the output of `{each.run}` lists {found['name']}, so it is installed"
            return [Command(f"uv tool install {found['name']}=={found['version']}", each.line, added_because=why)]
    return []


def required_requirements(commands: Sequence[Command], known: set[str]) -> list[PostedFile]:
    """Return the requirements files that commands read and the post does not show."""
    found = []
    for each in commands:
        for path in re.findall(r"(?:-r|compile|sync)[ =]+((?:[\w.-]+/)*[\w.-]+\.(?:in|txt))\b", each.run):
            if path not in known and names.clean_path(path) == path:
                found.append(PostedFile(path, "iniconfig\n", each.line, f"`{each.run}` reads it", inferred=True))
    return found


def with_files_of_errors(files: Sequence[PostedFile], commands: Sequence[Command]) -> list[PostedFile]:
    """Return the files with what only an error names: a workspace member, an index."""
    root = next((file for file in files if file.path == "pyproject.toml" and not file.good), None)
    outputs = [re.sub(r"[\s│]+", " ", each.output) for each in commands]
    if root is None:
        return list(files)
    text, why, more = root.text, root.why, list[PostedFile]()
    names_known = {content_type.project_name(file.text) for file in files}
    for output in outputs:
        for found in BUILD_OF.finditer(output):
            if "workspace" in text or found["name"] in names_known or names_known == {found["name"]}:
                continue
            if found["folder"] != found["name"]:
                continue
            names_known.add(found["name"])
            text += f'\n[tool.uv.workspace]\nmembers = ["{found["folder"]}"]\n'
            why += f"; added: the member `{found['name']}` that the error names"
            path, project = f"{found['folder']}/pyproject.toml", pyproject.minimal(found["name"], build=True)
            more.append(PostedFile(path, project, root.line, "the error names it", inferred=True))
    index_url = next((match["url"] for output in outputs if (match := INDEX_OF_ERROR.search(output))), "")
    variable = next((match["name"] for each in commands if (match := INDEX_VARIABLE.search(each.run))), "")
    if index_url and variable and "index" not in text:
        text += f'\n[[tool.uv.index]]\nname = "{variable.lower().replace("_", "-")}"\nurl = "{index_url}"\n'
        why += "; added: the index that the error names"
    changed = [replace(root, text=text, why=why) if file is root else file for file in files]
    return [*changed, *more]


def required_lock(commands: Sequence[Command], known: set[str]) -> tuple[int, Command] | None:
    """Return the command that creates a required lock file, and its index; None if none is required."""
    for i, each in enumerate(commands):
        if re.search(
            r"\buv\s+(?:--\S+\s+){0,12}(?:sync|run|export|tree)\b[^|;&]{0,500}--(?:frozen|locked)\b"
            r"|\buv\s+lock\s+--(?:check|locked)",
            each.run,
        ):
            why = "a lock file is required, and the post does not show it"
            return None if "uv.lock" in known else (i, Command("uv lock", each.line, added_because=why))
        if re.search(r"\buv\s+(?:--\S+\s+){0,12}(?:lock|sync|add|run)\b", each.run):
            return None
    return None
