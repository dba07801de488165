"""What becomes of each file of an update."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uvmre.core.mre.files import File
from uvmre.scaffold.merge import MARKER, MergedFiles, merge_files


def joined(ours: bytes, base: bytes, theirs: bytes) -> tuple[bytes, bool]:
    """Stand for git: whole texts, of which one changed, or both with markers."""
    if base in (ours, theirs) or ours == theirs:
        return (theirs if base == ours else ours), False
    return b"\n".join([MARKER, ours, b"=======", theirs, b">>>>>>> after updating"]), True


def merged(ours: bytes | None, base: bytes | None, theirs: bytes | None, *blocked: str) -> MergedFiles:
    sides = [{} if text is None else {"a": File("a", text)} for text in (ours, base, theirs)]
    return merge_files(sides[0], sides[1], sides[2], blocked, joined)


@pytest.mark.parametrize(
    ("ours", "base", "theirs", "written", "removed", "conflicts", "notes"),
    [
        pytest.param(b"1", b"1", b"1", None, 0, 0, 0, id="nothing changed"),
        pytest.param(b"2", b"1", b"1", None, 0, 0, 0, id="an edit"),
        pytest.param(b"1", b"1", b"2", b"2", 0, 0, 0, id="a change of the template"),
        pytest.param(b"2", b"1", b"2", None, 0, 0, 0, id="the same in both"),
        pytest.param(None, b"1", b"1", None, 0, 0, 0, id="a file that was deleted"),
        pytest.param(None, b"1", b"2", None, 0, 0, 1, id="deleted, and changed by the template"),
        pytest.param(None, None, b"2", b"2", 0, 0, 0, id="a new file"),
        pytest.param(b"1", None, b"2", "markers", 0, 1, 0, id="a new file where the user has one"),
        pytest.param(b"2", None, b"2", None, 0, 0, 0, id="a new file that the user has as it is"),
        pytest.param(b"1", b"1", None, None, 1, 0, 0, id="a file that the template lost"),
        pytest.param(b"2", b"1", None, None, 0, 0, 1, id="edited, and lost by the template"),
        pytest.param(b"2", b"1", b"3", "markers", 0, 1, 0, id="changed on both sides"),
        pytest.param(b"2\0", b"1", b"3", None, 0, 1, 0, id="not a text"),
    ],
)
def test_the_table(
    ours: bytes | None,
    base: bytes | None,
    theirs: bytes | None,
    written: bytes | str | None,
    removed: int,
    conflicts: int,
    notes: int,
) -> None:
    found = merged(ours, base, theirs)
    texts = ["markers" if MARKER in file.content else file.content for file in found.files]
    assert texts == ([] if written is None else [written])
    assert (len(found.removed), len(found.conflicts), len(found.notes)) == (removed, conflicts, notes)


def test_what_is_no_file_is_in_the_way_and_stays() -> None:
    found = merged(None, b"1", b"2", "a")
    assert (found.files, found.removed) == ((), ())
    assert found.conflicts == ("a: it is in the way of a file of the template",)


@pytest.mark.parametrize(
    ("ours", "base", "theirs", "expected"),
    [(False, False, True, True), (True, False, False, True), (True, True, False, False), (False, True, True, False)],
)
def test_the_mode_is_merged_too(ours: bool, base: bool, theirs: bool, expected: bool) -> None:
    sides = [{"a": File("a", text, mode)} for text, mode in ((b"2", ours), (b"1", base), (b"3", theirs))]
    [file] = merge_files(sides[0], sides[1], sides[2], (), joined).files
    assert file.executable is expected


TEXTS = st.none() | st.sampled_from([b"", b"1", b"2", b"3", b"\0"])
TREES = st.fixed_dictionaries(dict.fromkeys("ab", TEXTS))


@given(TREES, TREES, TREES)
def test_no_edit_is_lost(ours: dict[str, bytes], base: dict[str, bytes], theirs: dict[str, bytes]) -> None:
    """A law: a text that is the user's own is in the folder afterwards, in its file."""
    sides = [{p: File(p, t) for p, t in tree.items() if t is not None} for tree in (ours, base, theirs)]
    found = merge_files(sides[0], sides[1], sides[2], (), joined)
    after = sides[0] | {file.path: file for file in found.files}
    for path, file in sides[0].items():
        if file != sides[1].get(path):
            assert path not in found.removed
            assert file.content in after[path].content
    for path in found.removed:
        assert sides[0][path] == sides[1][path]
        assert path not in sides[2]
