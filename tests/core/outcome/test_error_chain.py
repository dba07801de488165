"""The innermost cause of an error, in every form in which one is drawn."""

import pytest

from uvmre.core.outcome.error_chain import innermost_cause, mask_local_details, warnings


@pytest.mark.parametrize(
    ("output", "texts"),
    [
        ("error: The thing is of the wrong shape", ("The thing is of the wrong shape",)),
        (
            "error: Failed to build\n  Caused by: inner one\n  Caused by: the innermost one of all",
            ("the innermost one of all",),
        ),
        (
            "  × Failed to build `a`\n  ├─▶ The middle\n  ╰─▶ Because a needs b and b is\n      not to be had, we can conclude that it fails.\n",
            ("Because a needs b and b is not to be had",),
        ),
        ("  x Failed to build `a`\n  `-> The inner one, drawn without UTF-8", ("The inner one, drawn without UTF-8",)),
        (
            "0.613 Using Python\n0.620 error: Failed\n0.620   Caused by: The package is no member of it",
            ("The package is no member of it",),
        ),
        ("#12 0.62 error: The thing is of the wrong shape", ("The thing is of the wrong shape",)),
        ("  Caused by: The excerpt has only its inner links", ("The excerpt has only its inner links",)),
        (
            "thread 'main' panicked at crates/a/src/b.rs:1:2:\nno entry for that key",
            ("panicked at", "no entry for that key"),
        ),
        ("Traceback (most recent call last):\n  File \"a\", line 1\nKeyError: 'the key'", ("KeyError: 'the key'",)),
        (
            "ModuleNotFoundError: No module named 'thing'\nerror: Build backend failed to build wheel",
            ("ModuleNotFoundError: No module named 'thing'",),
        ),
        (
            "  × No solution found\n  ╰─▶ Because a was not found.\n      hint: An index URL\n      (https://a.b) could not be queried due to a lack of\n"
            "      valid authentication credentials (401 Unauthorized).",
            ("could not be queried due to a lack of valid authentication credentials (401 Unauthorized)",),
        ),
        (
            "error: Failed to read `a`\n  Caused by: No such file or directory (os error 2)",
            ("Failed to read `a`", "No such file or directory (os error 2)"),
        ),
        (
            "error: Failed to parse `uv.lock`\n  Caused by: TOML parse error at line 28, column 10\n     |\n"
            "28 | wheels = [\n     |          ^\nthe name of the wheel has no tag of a platform\n",
            ("the name of the wheel has no tag of a platform",),
        ),
        (
            "  × Failed to build `a`\n  ╰─▶ TOML parse error at line 1, column 1\n        |\n      1 | [project]\n"
            "        | ^^^^^^^^^\n      missing field `name`\n",
            ("TOML parse error at line …", "missing field `name`"),
        ),
        (
            "error: a thing\n  Caused by: the link below it is the last one\nnothing of it",
            ("the link below it is the last one",),
        ),
        ("\x1b[31merror\x1b[0m: The thing is of the wrong shape", ("The thing is of the wrong shape",)),
    ],
)
def test_the_innermost_cause(output: str, texts: tuple[str, ...]) -> None:
    found = innermost_cause(output)
    assert found is not None
    assert found.texts == texts


@pytest.mark.parametrize("output", ["", "Resolved 1 package", "+ a==1", "no errors were found"])
def test_no_error(output: str) -> None:
    assert innermost_cause(output) is None


@pytest.mark.parametrize(
    "output", ["error: error sending request for url (https://a.b)", "error: a\n  Caused by: operation timed out"]
)
def test_what_a_missing_network_gives_too(output: str) -> None:
    found = innermost_cause(output)
    assert found is not None
    assert found.network


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("no table in: `/home/me/a b/pyproject.toml`", "no table in: `…/pyproject.toml`"),
        ("built `a @ file:///Users/me/x/a`", "built `a @ …`"),
        ("took 0.32s", "took …"),
        ("at C:\\Users\\me\\x", "at …"),
        ("the current Python version (3.12.4) fails", "the current Python version (…) fails"),
        ("see https://pypi.org/simple/a/", "see https://pypi.org/simple/a/"),
        ("a/b.py is there", "a/b.py is there"),
        ("https://[account].example/x", "https://….example/x"),
    ],
)
def test_what_is_the_reporters_own_is_left_open(text: str, plain: str) -> None:
    assert mask_local_details(text) == plain


def test_warnings_but_not_that_a_command_is_new() -> None:
    said = "warning: `uv x` is experimental and may change without warning\nwarning: The thing is ignored\nok"
    assert warnings(said) == ["The thing is ignored"]
