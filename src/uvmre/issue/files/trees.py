"""Parse directory trees, and dependency trees as `uv tree` prints them."""

import re

from uvmre.issue.files import names

TREE_ENTRY = re.compile(r"^(?P<lead>[\s│|├└─+`\u00a0-]*?(?:[├└+`|][-─]*\s+)?)(?P<name>[^\s│├└].*)")
NOTE = re.compile(r"(?<!\s)\s+(?:\(|#|<-|←|//|-- |->).*")
LIST_ENTRY = re.compile(r"^(?P<lead>\s*)[-*] (?P<name>[\w.@-]+/?)(?:\s+.*)?$")


def tree_paths(text: str) -> list[str]:
    """Return the files and directories (with a trailing `/`) of a directory tree, relative to its root."""
    stack: list[tuple[int, str]] = []
    found: list[str] = []
    lines = [line.replace("\u00a0", " ") for line in text.split("\n")[:400] if line.strip()]
    for line in lines:
        match = LIST_ENTRY.match(line) or TREE_ENTRY.match(line)
        if not match:
            continue
        depth = len(match["lead"])
        name = NOTE.sub("", match["name"]).strip().rstrip(":")
        if not re.fullmatch(r"[\w.@+ -]+/?|\.", name) or (" " in name and not name.endswith("/")):
            continue
        while stack and stack[-1][0] >= depth:
            stack.pop()
        path = "/".join([*(part for _, part in stack if part != "."), name])
        stack.append((depth, name.rstrip("/")))
        found.append(path)
    folders = {path.rsplit("/", 1)[0] for path in found if "/" in path.rstrip("/")}
    whole = [path if path.endswith("/") or path not in folders else f"{path}/" for path in found if path != "."]
    return _without_root([path for path in whole if names.clean_path(path.rstrip("/"))])


def _without_root(found: list[str]) -> list[str]:
    """Strip the directory that contains everything else."""
    if found and found[0].endswith("/") and len(found) > 1 and all(path.startswith(found[0]) for path in found[1:]):
        return [path[len(found[0]) :] for path in found[1:]]
    return found


DEPENDENCY = re.compile(r"[├└]──\s(?P<name>[\w.-]+)(?:\[[\w,. -]*\])? v(?P<version>\S+)")


def dependencies_of(name: str, output: str) -> tuple[str, ...]:
    """Return the dependencies of a project in the output of `uv tree`."""
    lines = output.split("\n")
    for number, line in enumerate(lines):
        match = DEPENDENCY.search(line) or re.match(r"(?P<name>[\w.-]+) v(?P<version>\S+)", line)
        if not match or match["name"] != name:
            continue
        depth = match.start("name")
        below: list[tuple[int, str]] = []
        for following in lines[number + 1 :]:
            inner = DEPENDENCY.search(following)
            if not inner or inner.start("name") <= depth:
                break
            if "(extra" not in following and "(group" not in following:
                below.append((inner.start("name"), f"{inner['name']}=={inner['version']}"))
        if below:
            first = min(at for at, _ in below)
            return tuple(text for at, text in below if at == first)
    return ()


def version_of(name: str, output: str) -> str:
    """Return the version of a project in the output of `uv tree`; empty if it is not listed."""
    found = re.search(rf"(?m)^[│├└─ \t\u00a0]*{re.escape(name)} v(\d[\w.]*)", output[:20_000])
    return found[1] if found else ""
