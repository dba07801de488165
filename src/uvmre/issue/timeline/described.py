"""The project that a sentence describes: requirements and keys in inline code."""

import json
import re
from collections.abc import Sequence

from uvmre.core.triage.parsed_issue import PostedFile
from uvmre.issue.environment import sentiment
from uvmre.issue.files import content_type, pyproject
from uvmre.issue.markdown import blocks

PROJECT = re.compile(r"(?i)\b(?:project|pyproject(?:\.toml)?|package|depend(?:s|ing|enc(?:y|ies))?)\b")
DEPENDS = re.compile(r"(?i)\b(?:depend(?:s|ing|enc(?:y|ies))?|requirements?|requir(?:es|ing))\b")
ENDS = re.compile(
    r"(?i)\b(?:but|instead|resolv\w+|install\w*|gets?|got|expect\w*|should|fails?|runs?|running|without|prints?)\b"
)
PYTHON = re.compile(r"(?i)\b(?:requires-python|python)`?[ :=\"']{0,6}(?P<spec>[<>=~]=?\s?3\.\d{1,2})\b")
ANY = re.compile(
    r"(?i)\b(?:any|every|whatever|an? (?:new|fresh|empty|minimal|simple|trivial|basic|bare|otherwise empty)"
    r"|(?:no matter|regardless of) (?:which|the|what))(?: \w{1,20}){0,2} projects?\b"
)
BACKENDS = {
    "hatchling.build": "hatchling",
    "setuptools.build_meta": "setuptools",
    "poetry.core.masonry.api": "poetry-core",
    "flit_core.buildapi": "flit_core",
    "pdm.backend": "pdm-backend",
    "uv_build": "uv_build",
}
TABLES = {
    "project": "name version description readme requires-python dependencies optional-dependencies dynamic scripts",
    "build-system": "build-backend requires",
    "tool.uv": "package managed required-version exclude-newer resolution prerelease environments conflicts",
}


def described_project(sentences: Sequence[tuple[str, int]], python: str) -> PostedFile | None:
    """Return the pyproject.toml that the sentences describe, or that they say does not matter; None if they do not."""
    keys: dict[str, list[str]] = {table: [] for table in TABLES}
    requirements: list[str] = []
    specifier, first = "", ("", 0)
    for sentence, line in sentences:
        words = blocks.INLINE_CODE.sub(_masked, sentence)
        if not PROJECT.search(sentence) or sentiment.is_proposal(words):
            continue
        end = next((found.start() for found in ENDS.finditer(words)), len(sentence))
        codes = [code for code, at in blocks.inline_code(sentence) if at < end]
        described = False
        for code in codes:
            table = next((name for name, known in TABLES.items() if code.split("=")[0].strip() in known.split()), "")
            if table and "=" in code and content_type.parse_toml(code):
                keys[table].append(code)
            elif DEPENDS.search(sentence) and _is_requirement(code):
                requirements.append(code)
            else:
                continue
            described = True
        if described:
            first = first if first[1] else (sentence, line)
            match = PYTHON.search(sentence)
            specifier = specifier or (match["spec"].replace(" ", "") if match else "")
    if not first[1]:
        free = next(((sentence, line) for sentence, line in sentences if ANY.search(sentence)), None)
        text = pyproject.minimal("project", python)
        return PostedFile("pyproject.toml", text, free[1], f"“{free[0][:100]}”", inferred=True) if free else None
    return PostedFile("pyproject.toml", _text(keys, requirements, specifier, python), first[1], f"“{first[0][:100]}”")


def _masked(found: re.Match[str]) -> str:
    return "`" * len(found[0])


def _is_requirement(code: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(code)
    except InvalidRequirement:
        return False
    return not re.fullmatch(r"uvx?|python|pip|pyproject\.toml|uv\.lock|[\w./-]+\.(?:toml|lock|txt|in|py|md)", code)


def _text(keys: dict[str, list[str]], requirements: Sequence[str], specifier: str, python: str) -> str:
    project = content_type.table(content_type.parse_toml(pyproject.minimal("project", python)) or {}, "project")
    project |= {"dependencies": list(requirements)} | ({"requires-python": specifier} if specifier else {})
    lines = {key: f"{key} = {json.dumps(value)}" for key, value in project.items()}
    lines |= {code.split("=")[0].strip(): code for code in keys["project"]}
    build = content_type.parse_toml("\n".join(keys["build-system"])) or {}
    if "requires" not in build and (backend := BACKENDS.get(str(build.get("build-backend")))):
        keys["build-system"].append(f'requires = ["{backend}"]')
    tables = {"project": list(lines.values()), "build-system": keys["build-system"], "tool.uv": keys["tool.uv"]}
    return "\n".join("\n".join([f"[{table}]", *codes, ""]) for table, codes in tables.items() if codes)
