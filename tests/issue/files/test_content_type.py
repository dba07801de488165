"""Detecting the type of a code block."""

import pytest

from uvmre.issue.files.content_type import detect, parse_toml, project_name, table, without_ellipses


@pytest.mark.parametrize(
    ("text", "tag", "kind"),
    [
        ("", "", ""),
        ("[project]\nname = 'a'\n", "toml", "pyproject"),
        ("[tool.uv]\npackage = false\n", "", "pyproject"),
        ("dependencies = ['a']\n", "", "pyproject"),
        ("[[index]]\nurl = 'https://a'\n", "", "uv.toml"),
        ("version = 1\n\n[[package]]\nname = 'a'\n", "", "lock"),
        ("[a]\nb = 1\n", "", "toml"),
        ("# /// script\n# ///\n", "python", "script"),
        ("import a\n", "", "python"),
        ("import a\nno valid code\n", "", ""),
        ("a==1\nb>=2\n", "", "requirements"),
        ("a==1\n", "json", ""),
        ("FROM a\nRUN b\n", "", "dockerfile"),
        ("RUN b\n", "dockerfile", "dockerfile"),
        ("a\n├── b\n└── c\n", "", "tree"),
        ("root v1\n├── b v1\n└── c v1\n", "", ""),
        ("- a/\n- b\n- c\n", "", "tree"),
        ("error: a\n", "", "output"),
        ("  × a\n  ├─▶ b\n  ╰─▶ c\n", "", "output"),
    ],
)
def test_detect(text: str, tag: str, kind: str) -> None:
    assert detect(text, tag) == kind


def test_ellipses_are_removed_with_their_lines() -> None:
    assert without_ellipses("a = 1\n...\nb = ['...']\nc = 2") == ("a = 1\nb = []\nc = 2", [1, 2])
    assert without_ellipses("a = 1\n# ...\nb = ['c', '...']") == ("a = 1\nb = ['c', ]", [1, 2])
    assert parse_toml("a = ['b', ...]\n") == {"a": ["b"]}
    assert parse_toml("a = [\n") is None


@pytest.mark.parametrize("text", ['description = "..."\n', "a = '…'\n...\n", "a = '''\n...\n'''\n"])
def test_a_text_of_three_dots_is_a_value(text: str) -> None:
    assert next(iter((parse_toml(text) or {}).values())).strip() in ("...", "…")


def test_tables() -> None:
    assert table({"a": {"b": {"c": 1}}}, "a", "b") == {"c": 1}
    assert table({"a": 1}, "a", "b") == {}
    assert (project_name("[project]\nname = 'a'\n"), project_name("project = 1\n"), project_name("")) == ("a", "", "")
