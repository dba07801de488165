"""One line more in a TOML text, and all else as it was."""

import tomllib

from uvmre.lint.toml_edit import with_first_in_entry, with_line


def test_a_line_goes_into_its_table() -> None:
    text = "[tool.uv] # here\npackage = true\n\n[other]\nx = 1\n"
    changed = with_line(text, "tool.uv", 'environments = ["x"]')
    assert tomllib.loads(changed)["tool"]["uv"] == {"package": True, "environments": ["x"]}
    assert changed.replace('environments = ["x"]\n', "") == text


def test_a_table_is_made_where_there_is_none() -> None:
    assert tomllib.loads(with_line("[project]\nname = 'x'\n", "tool.uv", "a = 1"))["tool"] == {"uv": {"a": 1}}


def test_what_would_not_be_toml_is_not_made() -> None:
    assert with_line("[tool.uv]\na = 1\n", "tool.uv", "a = 2") == ""
    assert with_line("tool = { uv = { a = 1 } }\n", "tool.uv", "b = 2") == ""


def test_one_of_several_tables() -> None:
    text = "[[a.b]]\nx = 1\n[[a.b]]\nx = 2\n"
    assert tomllib.loads(with_first_in_entry(text, "a.b", 1, "y = 3"))["a"]["b"] == [{"x": 1}, {"x": 2, "y": 3}]
    assert with_first_in_entry(text, "a.b", 2, "y = 3") == ""
    assert with_first_in_entry("a = { b = [{}] }\n", "a.b", 0, "y = 3") == ""
