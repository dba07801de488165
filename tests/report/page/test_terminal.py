"""Output in its colours, or in those of uv's messages."""

import pytest

from uvmre.report.page.terminal import output_text, spans


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("error: no\n", [("error:", "b c1"), (" no\n", "")]),
        ("  × no\n  ╰─▶ so\n", [("  × ", "b c1"), ("no\n", ""), ("  ╰─▶", "c1"), (" so\n", "")]),
        (
            " + a==1\n - b==2\nhint: x",
            [(" + ", "c2"), ("a==1\n", ""), (" - ", "c1"), ("b==2\n", ""), ("hint:", "b c6"), (" x", "")],
        ),
        ("10%\r20%\rdone\r\n", [("done\n", "")]),
        ("\x1b[32ma\x1b[0m\x1b[2Kb\x9bJ\x00", [("a", "c2"), ("b\ufffd", "")]),
        ("[bold]x[/bold]", [("[bold]x[/bold]", "")]),
        ("\x1b[38;5;200mx\x1b[0m", [("x", "")]),
        ("", [("", "")]),
    ],
)
def test_an_output_is_text_with_classes(output: str, expected: list[tuple[str, str]]) -> None:
    assert list(spans(output_text(output))) == expected
