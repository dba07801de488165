"""What a verb returns: its result as text and as JSON, printed in one place."""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from uvmre.cli import console

T = TypeVar("T")


@dataclass(frozen=True)
class Rendered:
    """The result of a verb in both of its forms."""

    text: str
    """For stdout; nothing is printed when it is empty."""
    data: Callable[[], Any]
    """Returns the JSON object that `--json` prints instead."""
    exit_code: int = 0
    notes: Sequence[str] = ()
    """For stderr, below the text."""
    warnings: Sequence[str] = ()
    """For stderr, in either form."""
    document: bool = False
    """Whether the text is to be pasted elsewhere, so that no line of it is wrapped."""
    secrets: Collection[str] = ()
    """Masked in both forms, besides what looks like a secret."""
    redacted: bool = False
    """Whether the text and the data have no secrets already."""
    content: bytes = b""
    """For stdout, without the text, unless that is a terminal."""


def print_rendered(rendered: Rendered, *, as_json: bool) -> None:
    """Print a result in one of its forms."""
    from uvmre.core.secrets.redact import redact_deep

    def masked(value: T) -> T:
        return value if rendered.redacted else redact_deep(value, rendered.secrets)

    if as_json:
        console.print_json(masked(rendered.data()))
    elif rendered.content:
        console.print_bytes(rendered.content)
    elif rendered.text:
        (console.print_document if rendered.document else console.print_text)(masked(rendered.text))
    for warning in masked(tuple(rendered.warnings)):
        console.print_warning(warning)
    for note in () if as_json else masked(tuple(rendered.notes)):
        console.print_message(note)


def json_option(command: Callable[..., Rendered]) -> Callable[..., int]:
    """Add `--json`, and make a command that returns `Rendered` one that prints it and returns its exit code."""

    @functools.wraps(command)
    def print_result(*, as_json: bool, **arguments: Any) -> int:
        rendered = command(**arguments)
        print_rendered(rendered, as_json=as_json)
        return rendered.exit_code

    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")(print_result)
