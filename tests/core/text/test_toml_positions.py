"""The line of every key of a TOML text."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.text.toml_positions import Path, key_lines


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("# a comment\n\na = 1\nb = 2\n", {("a",): 3, ("b",): 4}, id="keys after a comment"),
        pytest.param(
            "a = 1\n\n[t]\nb = 1\n\n[u]\nb = 2\n",
            {("a",): 1, ("t",): 3, ("t", "b"): 4, ("u",): 6, ("u", "b"): 7},
            id="keys of tables",
        ),
        pytest.param(
            "[t]\nb = 1\n[t.u]\nc = 1\n",
            {("t",): 1, ("t", "b"): 2, ("t", "u"): 3, ("t", "u", "c"): 4},
            id="a table in a table",
        ),
        pytest.param(
            "[[step]]\nrun = 1\n[[step]]\nrun = 2\n",
            {("step", 0): 1, ("step", 0, "run"): 2, ("step", 1): 3, ("step", 1, "run"): 4},
            id="an array of tables",
        ),
        pytest.param(
            "[[control]]\nname = 1\n[[control.step]]\nrun = 1\n[[control.step]]\nrun = 2\n"
            "[[control]]\nname = 2\n[[control.step]]\nrun = 3\n",
            {
                ("control", 0): 1,
                ("control", 0, "name"): 2,
                ("control", 0, "step", 0): 3,
                ("control", 0, "step", 0, "run"): 4,
                ("control", 0, "step", 1): 5,
                ("control", 0, "step", 1, "run"): 6,
                ("control", 1): 7,
                ("control", 1, "name"): 8,
                ("control", 1, "step", 0): 9,
                ("control", 1, "step", 0, "run"): 10,
            },
            id="arrays of tables in an array of tables",
        ),
        pytest.param(
            "[[control]]\n[control.variables]\nA = 1\n[[control]]\n[control.variables]\nA = 2\n",
            {
                ("control", 0): 1,
                ("control", 0, "variables"): 2,
                ("control", 0, "variables", "A"): 3,
                ("control", 1): 4,
                ("control", 1, "variables"): 5,
                ("control", 1, "variables", "A"): 6,
            },
            id="a table in an array of tables",
        ),
        pytest.param(
            "\nt = { a = 1, b = { c = 2 } }\n",
            {("t",): 2, ("t", "a"): 2, ("t", "b"): 2, ("t", "b", "c"): 2},
            id="inline tables",
        ),
        pytest.param(
            "a.b = 1\na.c = 2\n[t]\nd.e = 1\n",
            {("a",): 1, ("a", "b"): 1, ("a", "c"): 2, ("t",): 3, ("t", "d"): 4, ("t", "d", "e"): 4},
            id="dotted keys",
        ),
        pytest.param(
            "\"a b\" = 1\n'c.d' = 2\n[\"e.f\".'g']\nh = 1\n",
            {("a b",): 1, ("c.d",): 2, ("e.f", "g"): 3, ("e.f", "g", "h"): 4},
            id="quoted keys",
        ),
        pytest.param(
            'a = [\n  "x",\n  # a comment\n  "y",\n]\nb = 1\n',
            {("a",): 1, ("a", 0): 2, ("a", 1): 4, ("b",): 6},
            id="an array with a comment in it",
        ),
        pytest.param(
            "file = [\n  { path = 1 },\n  { path = 2 },\n]\n",
            {("file",): 1, ("file", 0): 2, ("file", 0, "path"): 2, ("file", 1): 3, ("file", 1, "path"): 3},
            id="tables in an array",
        ),
        pytest.param(
            'a = """\nb = 1\n[c]\n"""\nd = 1\n', {("a",): 1, ("d",): 5}, id="what stands in a long text is no key"
        ),
        pytest.param("a = 'ä…'\nä = 1\n".replace("ä =", '"ä" ='), {("a",): 1, ("ä",): 2}, id="letters beyond ASCII"),
    ],
)
def test_every_key_has_the_line_where_it_stands(text: str, expected: dict[Path, int]) -> None:
    assert key_lines(text) == expected


KEYS = st.lists(st.from_regex(r"[a-z0-9_-]{1,6}", fullmatch=True), unique=True, min_size=1, max_size=6)


@given(KEYS, st.lists(st.sampled_from(["", "# comment", "  "]), max_size=4), st.sampled_from(["", "t", "t.u"]))
def test_the_line_of_a_key_is_the_one_that_starts_with_it(keys: list[str], between: list[str], table: str) -> None:
    rows = [f"[{table}]"] * (table != "")
    for key in keys:
        rows += [*between, f"{key} = 1"]
    text = "\n".join(rows)
    inside = tuple(table.split(".")) if table else ()
    told = key_lines(text)
    assert {path[-1] for path in told if len(path) == len(inside) + 1} == set(keys)
    for key in keys:
        assert rows[told[*inside, key] - 1] == f"{key} = 1"
    assert tomllib.loads(text) != {}
