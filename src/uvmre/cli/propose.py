"""Propose a template by a few words or a pasted error, at a terminal or without one."""

import sys
from typing import Any

import click

from uvmre.cli import console
from uvmre.errors import InputError

PROMPT = "What is the bug? A few words, or a pasted error; an empty line ends it, and alone lists the templates."


def propose_template(about: str, template: str) -> tuple[str, dict[str, Any]]:
    """Return the name of the template for a report and the answers that fit, and print them.

    Without `about` the user is asked at the terminal and confirms the proposal.

    Raises:
        InputError: if no template fits.
    """
    from uvmre.flows.new import none_selected, propose

    text = console.read_stdin().decode(errors="replace") if about == "-" else about
    asks = not text
    text = text or _read_words()
    proposal = propose(text, template) if text.strip() else None
    if proposal:
        name = proposal.template.name
        console.print_message(f"template: {name}, {proposal.template.summary}")
        if proposal.keywords:
            console.print_message(f"  because of: {', '.join(f'“{each}”' for each in proposal.keywords[:5])}")
        for question, answer in proposal.answers.items():
            console.print_message(f"  {question}: {answer}")
        if not asks or click.confirm("Use it?", default=True, err=True):
            return name, dict(proposal.answers)
    nothing = none_selected()
    if not asks:
        raise InputError("no template fits these words", nothing.faults, "select one with `-t`")
    if text.strip() and not proposal:
        console.print_message("no template fits these words")
    for line in nothing.faults:
        console.print_message(f"  {line}")
    names = [line.split()[0] for line in nothing.faults]
    name = click.prompt("Template", type=click.Choice(names), err=True, show_choices=False)
    chosen = propose(text, name) if text.strip() else None
    return name, dict(chosen.answers) if chosen else {}


def _read_words() -> str:
    """Read several lines at the terminal; a pasted text may have empty ones."""
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.output import create_output

    bindings = KeyBindings()

    @bindings.add("enter")
    def _end_or_continue(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.document.current_line.strip():
            buffer.newline(copy_margin=False)
        else:
            buffer.validate_and_handle()

    console.print_message(PROMPT)
    session = PromptSession[str]("> ", multiline=True, key_bindings=bindings, output=create_output(sys.stderr))
    try:
        return session.prompt()
    except EOFError:
        return ""
