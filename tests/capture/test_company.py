"""A made-up company's project: nothing private of it remains, and it is still the same project."""

import re
import string
import tomllib
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.capture.company import INDEXES, PLANTED, PUBLIC, Company, company
from uvmre.capture.private.find import find_replacements, remaining_private
from uvmre.capture.private.index_urls import profile_of
from uvmre.capture.private.replace import replace_private
from uvmre.capture.private.strip import strip_text
from uvmre.capture.private.vocabulary import is_public_word
from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import Mre
from uvmre.core.network.registries import PROFILES


def cleaned(project: Company, *, strip_first: bool = True) -> Mre:
    if strip_first:
        mre = strip_text(project.mre)
        return replace_private(mre, find_replacements(mre, project.surroundings))
    return strip_text(replace_private(project.mre, find_replacements(project.mre, project.surroundings)))


def everything(mre: Mre) -> str:
    return "\n".join([dump(mre), *(f"{file.path}\n{file.content.decode()}" for file in mre.files)])


def content(mre: Mre, path: str) -> str:
    file = mre.file(path)
    assert file, f"no {path} in {[file.path for file in mre.files]}"
    return file.content.decode()


def test_the_project_has_every_planted_string() -> None:
    assert len(PLANTED) >= 40
    texts = "".join(everything(company(registry).mre) for registry in INDEXES)
    texts += repr(company().surroundings)
    assert not [planted for planted in PLANTED if planted.lower() not in texts.lower()]


@pytest.mark.parametrize("strip_first", [True, False])
@pytest.mark.parametrize("registry", sorted(INDEXES))
def test_nothing_private_remains(registry: str, strip_first: bool) -> None:
    mre = cleaned(company(registry), strip_first=strip_first)
    text = everything(mre).lower()
    assert not [planted for planted in PLANTED if planted.lower() in text]
    assert not remaining_private(mre, company(registry).surroundings, ())
    assert profile_of(mre.indexes[0].url) == mre.indexes[0].registry == registry
    parse(dump(mre), dockerfile=True)
    for file in mre.files:
        if file.path.endswith((".toml", ".lock")):
            tomllib.loads(file.content.decode())


def test_every_profile_is_tried() -> None:
    assert set(INDEXES) == set(PROFILES) - {"simple-no-range"}


def test_it_is_still_the_same_project() -> None:
    mre = cleaned(company())
    root = tomllib.loads(content(mre, "pyproject.toml"))
    lock = tomllib.loads(content(mre, "uv.lock"))
    names = {package["name"] for package in lock["package"]}
    required = {re.split(r"[\[> ]", text)[0].lower().replace(".", "-") for text in root["project"]["dependencies"]}
    assert required <= names | {"requests"}
    assert "requests" in names
    members = {package["name"] for package in lock["package"] if "editable" in package["source"]}
    assert set(lock["manifest"]["members"]) == {*members, root["project"]["name"]}
    (index,) = mre.indexes
    assert (index.username, index.password) == ("public", "heron")
    assert {package.name for package in index.packages} <= {*names, "package-b"}
    source = root["tool"]["uv"]["sources"]
    assert set(source) - {"jaraco-classes"} <= {*names, *required}
    uv = tomllib.loads(content(mre, "home/.config/uv/uv.toml"))["index"][0]
    assert uv["url"] == index.url.replace("://", "://public:heron@")
    assert source["package-a"]["index"] == uv["name"] == "index-a"
    assert mre.environment.variables["UV_INDEX_INDEX_A_PASSWORD"] == "heron"
    assert content(mre, "home/.netrc") == "machine gitlab.example.com login public password heron\n"


def test_what_is_public_stays() -> None:
    mre = cleaned(company())
    text = everything(mre)
    for public in (
        "https://files.pythonhosted.org/packages/f9/9b/335f9764261e915ed497fcdeb11df5dfd6f7bf257d4a6a2a686d80da4d54/requests-2.32.3-py3-none-any.whl",
        'jaraco-classes = { git = "https://github.com/jaraco/jaraco.classes", tag = "v3.4.0" }',
        "jaraco.classes",
        "requests>=2.31 ; python_version < '3.13'",
        'requires = ["uv_build>=0.8,<0.9"]',
        "pydantic-settings>=2",
        "COPY --from=ghcr.io/astral-sh/uv:0.8.0 /uv /bin/",
        "uv sync --frozen --all-packages --extra extra-a --group group-a",
        "# syntax=docker/dockerfile:1",
    ):
        assert public in text


def test_the_files_of_a_member_follow_it() -> None:
    paths = {file.path for file in cleaned(company()).files}
    assert "libs/member-c/src/packageg/__init__.py" in paths
    assert "folder-a/member-a/src/package_e/__init__.py" in paths


NAMES = st.text(string.ascii_lowercase, min_size=5, max_size=12) | st.from_regex(
    r"[a-z]{4,8}[-_][a-z]{4,8}", fullmatch=True
)


@given(name=NAMES | st.text("éàçñßøабвгд能源结算", min_size=3, max_size=8))
@example(name="package-a")
@example(name="word-word")
def test_a_random_name_never_remains(name: str) -> None:
    parts = re.split("[-_]", name)
    assume(not any(is_public_word(part) for part in parts))
    project = company(planted=name)
    mre = cleaned(project)
    text = everything(mre).lower()
    assert not [part for part in (name, *parts) if re.search(rf"(?<![^\W_]){re.escape(part.lower())}(?![^\W_])", text)]


@given(name=NAMES)
def test_replacing_twice_changes_nothing(name: str) -> None:
    project = company(planted=name)
    stripped = strip_text(project.mre)
    replacements = find_replacements(stripped, project.surroundings)
    once = replace_private(stripped, replacements)
    assert replace_private(once, replacements) == once
    again = find_replacements(once, project.surroundings)
    assert replace_private(once, again) == once


@given(names=st.lists(NAMES, min_size=1, max_size=4, unique=True))
def test_names_of_pypi_never_change(names: list[str]) -> None:
    project = company()
    lines = "".join(f"{name}>=1\n" for name in names)
    file = replace(project.mre.files[0], path="requirements.txt", content=lines.encode())
    public = PUBLIC | {re.sub("[-_.]+", "-", name) for name in names}
    surroundings = replace(project.surroundings, public=public)
    mre = replace(project.mre, files=(*project.mre.files, file))
    assert content(replace_private(mre, find_replacements(mre, surroundings)), "requirements.txt") == lines


@given(names=st.lists(NAMES, min_size=2, max_size=6, unique_by=lambda name: re.sub("[-_]", "", name)))
def test_two_names_stay_two(names: list[str]) -> None:
    assume(not any(is_public_word(part) for name in names for part in re.split("[-_]", name)))
    project = company()
    lines = "".join(f"{name}>=1\n" for name in names)
    file = replace(project.mre.files[0], path="requirements.txt", content=lines.encode())
    mre = replace(project.mre, files=(*project.mre.files, file))
    found = content(replace_private(mre, find_replacements(mre, project.surroundings)), "requirements.txt").split()
    normal = {re.sub(r"[-_.]", "-", line.removesuffix(">=1")) for line in found}
    assert len(normal) == len(names)
    assert not normal & PUBLIC
