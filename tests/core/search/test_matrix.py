"""Cells in, rows and lines out."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.search.matrix import Cell, MatrixRow, ReleaseSpan, explain_symptom, fold, fold_partial, render_rows

LETTERS = {"s": "shows", "a": "absent", "d": "different", "b": "broken", "-": "missing"}


def cells(**rows: str) -> list[Cell]:
    """Make cells of rows such as `py38_base="ssa"`: an interpreter, a variant, and a letter a release."""
    return [
        Cell(f"0.{release}.0", *name.split("_"), LETTERS[letter], "no wheel" if letter == "-" else "so it is")  # type: ignore[arg-type]
        for release in range(max(map(len, rows.values())))
        for name, letters in rows.items()
        for letter in letters[release : release + 1]
    ]


def test_releases_of_the_same_outcome_are_one_run() -> None:
    assert fold(cells(py_base="sssab")) == (
        MatrixRow(
            "py",
            "base",
            (
                ReleaseSpan("0.0.0", "0.2.0", 3, "shows", ""),
                ReleaseSpan("0.3.0", "0.3.0", 1, "absent", ""),
                ReleaseSpan("0.4.0", "0.4.0", 1, "broken", ""),
            ),
        ),
    )


def test_what_is_missing_for_another_reason_is_another_run() -> None:
    table = [
        Cell(str(i), "py", "base", "missing", reason) for i, reason in enumerate(["no wheel", "no wheel", "yanked"])
    ]
    assert [(run.count, run.reason) for run in fold(table)[0].runs] == [(2, "no wheel"), (1, "yanked")]


def test_a_release_that_a_row_leaves_out_is_missing_there() -> None:
    table = [*cells(a_base="ss"), Cell("0.1.0", "b", "base", "absent")]
    assert fold(table)[1].runs == (
        ReleaseSpan("0.0.0", "0.0.0", 1, "missing", "not run"),
        ReleaseSpan("0.1.0", "0.1.0", 1, "absent", ""),
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param({}, "", id="nothing is nothing"),
        pytest.param(
            {"py_base": "sssaa"},
            "0.0.0 … 0.2.0 shows (3) │ 0.3.0 … 0.4.0 absent (2)",
            id="one row needs no name",
        ),
        pytest.param({"py_base": "ssa"}, "0.0.0 … 0.1.0 shows (2) │ 0.2.0 absent", id="one release is named once"),
        pytest.param(
            {"py3.8_base": "--s", "pypy3.10_base": "aaa"},
            "py3.8     0.0.0 … 0.1.0 missing: no wheel (2) │ 0.2.0 shows\npypy3.10  0.0.0 … 0.2.0 absent (3)",
            id="interpreters are named where there are two, and the reason for what is missing",
        ),
        pytest.param(
            {"a_base": "s", "a_netrc": "a", "b_base": "d", "b_netrc": "b"},
            "a  base   0.0.0 shows\na  netrc  0.0.0 absent\nb  base   0.0.0 different\nb  netrc  0.0.0 broken",
            id="interpreters and variants stand in columns",
        ),
    ],
)
def test_rows_are_rendered(rows: dict[str, str], expected: str) -> None:
    assert render_rows(fold(cells(**rows) if rows else [])) == expected


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            {"a_base": "assa"},
            "Only the release explains it: the bug shows with 0.1.0 … 0.2.0.",
            id="nothing but releases was tried",
        ),
        pytest.param(
            {"a_base": "assas", "b_base": "assas", "a_x": "assas", "b_x": "assas"},
            "Only the release explains it: the bug shows with 0.1.0 … 0.2.0, 0.4.0, whatever the interpreter and the variant.",
            id="the release, with whatever else",
        ),
        pytest.param(
            {"a_base": "assa", "b_base": "a--a"},
            "Only the release explains it: the bug shows with 0.1.0 … 0.2.0, observed with interpreter a only; "
            "2 missing (no wheel).",
            id="the release, but the other interpreter never ran where it shows",
        ),
        pytest.param(
            {"a_base": "ss", "b_base": "aa", "c_base": "ss"},
            "Only the interpreter explains it: the bug shows with a, c, whatever the release.",
            id="the interpreter",
        ),
        pytest.param(
            {"a_base": "ss", "a_x": "aa"},
            "Only the variant explains it: the bug shows with “base”, whatever the release.",
            id="the variant",
        ),
        pytest.param(
            {"a_base": "assa", "b_base": "aaaa"},
            "It takes the release and the interpreter together: the bug shows with 0.1.0 … 0.2.0 with a.",
            id="some releases with one interpreter",
        ),
        pytest.param(
            {"a_base": "sa", "b_base": "as", "c_base": "sa", "d_base": "sa", "e_base": "sa"},
            "It takes the release and the interpreter together: the bug shows with 0.0.0 with a; 0.0.0 with c; 0.0.0 with d; "
            "2 more.",
            id="a combination with many places is cut short",
        ),
        pytest.param(
            {"a_base": "as", "a_x": "aa", "b_base": "aa", "b_x": "aa"},
            "It takes the release and the interpreter and the variant together: the bug shows with 0.1.0 with a and “base”.",
            id="all three together",
        ),
        pytest.param(
            {"a_base": "s-", "b_base": "-a"},
            "The cells do not tell what explains it: the release or the interpreter; 2 missing (no wheel).",
            id="where release and interpreter changed together, either may be it",
        ),
        pytest.param(
            {"a_base": "ss", "b_base": "ss"},
            "Nothing explains it: the bug shows in all of 4 cells.",
            id="it shows everywhere",
        ),
        pytest.param(
            {"a_base": "aad"},
            "There is nothing to explain: the bug shows in none of 2 cells; 1 cannot tell.",
            id="it shows nowhere",
        ),
        pytest.param({"a_base": "s"}, "Nothing explains it: the bug shows in all of 1 cell.", id="one cell"),
        pytest.param(
            {"a_base": "s", "a_with x": "a"},
            "Only the variant explains it: the bug shows with “base”.",
            id="one variant",
        ),
        pytest.param(
            {"a_base": "a", "a_with x": "s"},
            "Only the variant explains it: the bug shows with “with x”.",
            id="named with",
        ),
        pytest.param(
            {"a_base": "bd-"}, "No cell has an answer; 2 cannot tell; 1 missing (no wheel).", id="no cell can tell"
        ),
    ],
)
def test_a_line_says_what_explains_the_failure(rows: dict[str, str], expected: str) -> None:
    assert explain_symptom(cells(**rows)) == expected


def test_a_cell_that_contradicts_itself_is_reported() -> None:
    twice = [*cells(a_base="s"), *cells(a_base="a")]
    assert explain_symptom(twice) == "Nothing explains it: one cell both shows the bug and does not."


LETTER = st.sampled_from("sadb-")
TABLES = st.dictionaries(
    st.sampled_from([f"{i}_{v}" for i, v in product("abc", "xy")]), st.text(LETTER, min_size=1, max_size=12), min_size=1
).map(lambda rows: cells(**{name: letters.ljust(max(map(len, rows.values())), "-") for name, letters in rows.items()}))


@given(TABLES)
def test_folding_loses_no_cell_and_neighbours_always_differ(table: list[Cell]) -> None:
    rows = fold(table)
    assert sum(run.count for row in rows for run in row.runs) == len(table)
    for row in rows:
        mine = [cell for cell in table if (cell.interpreter, cell.variant) == (row.interpreter, row.variant)]
        assert [run.word for run in row.runs for _ in range(run.count)] == [cell.word for cell in mine]
        assert all(one.word != other.word for one, other in zip(row.runs, row.runs[1:], strict=False))
    assert render_rows(rows).count("\n") == len(rows) - 1


@given(TABLES)
def test_an_axis_explains_only_what_no_other_cell_contradicts(table: list[Cell]) -> None:
    line = explain_symptom(table)
    assert "\n" not in line
    for axis in ("release", "interpreter", "variant"):
        if line.startswith(f"Only the {axis} explains"):
            words = {(getattr(cell, axis), cell.word) for cell in table if cell.word in ("shows", "absent")}
            assert len(words) == len({value for value, _ in words})


def test_of_a_table_that_is_being_filled_each_row_has_its_own_cells_only() -> None:
    done = [
        Cell("0.10.0", "3.12", "a", "shows"),
        Cell("0.9.0", "3.12", "a", "shows"),
        Cell("0.9.0", "3.11", "a", "absent"),
        Cell("0.2.0", "3.12", "a", "absent"),
    ]
    assert render_rows(fold_partial(done)).splitlines() == [
        "3.11  0.9.0 absent",
        "3.12  0.2.0 absent │ 0.9.0 … 0.10.0 shows (2)",
    ]
