"""Expand a word of a Dockerfile by the rules of BuildKit's `frontend/dockerfile/shell/lex.go`."""

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")


def expand(word: str, variables: Mapping[str, str], *, quotes: bool = True, escape: str = "\\") -> str:
    """Return a word of ENV, ARG, WORKDIR, COPY or FROM without quotes and with variables expanded.

    Args:
        word: the word.
        variables: the variables that are set; others are empty.
        quotes: whether quotes are special; in a heredoc they are not.
        escape: the escape character.

    Raises:
        ValueError: if a quote or brace is not closed, a required variable is not set, or a form is not supported.
    """
    value, rest = _until(word, "", variables, quotes, escape)
    assert not rest
    return value


def expand_if_valid(word: str, variables: Mapping[str, str]) -> str:
    """Return a word with variables expanded, or as it is if it is not valid."""
    try:
        return expand(word, variables)
    except ValueError:
        return word


def _until(text: str, stop: str, variables: Mapping[str, str], quotes: bool, escape: str) -> tuple[str, str]:
    """Expand up to a character, and return the rest after it."""
    out: list[str] = []
    while text:
        char = text[0]
        if char == stop:
            return "".join(out), text[1:]
        if char == "'" and quotes:
            inner, closed, text = text[1:].partition("'")
            if not closed:
                raise ValueError("a single quote is not closed")
            out.append(inner)
        elif char == '"' and quotes:
            inner, text = _double_quoted(text[1:], variables, escape)
            out.append(inner)
        elif char == "$":
            inner, text = _variable(text[1:], variables, quotes, escape)
            out.append(inner)
        elif char == escape and len(text) > 1:
            out.append(text[1])
            text = text[2:]
        else:
            out.append("" if char == escape else char)
            text = text[1:]
    if stop:
        raise ValueError("a `${` is not closed")
    return "".join(out), ""


def _double_quoted(text: str, variables: Mapping[str, str], escape: str) -> tuple[str, str]:
    out: list[str] = []
    while text:
        if text[0] == '"':
            return "".join(out), text[1:]
        if text[0] == "$":
            inner, text = _variable(text[1:], variables, True, escape)
            out.append(inner)
        elif text[0] == escape and text[1:2] in ('"', "$", escape):
            out.append(text[1])
            text = text[2:]
        else:
            out.append(text[0])
            text = text[1:]
    raise ValueError("a double quote is not closed")


def _variable(text: str, variables: Mapping[str, str], quotes: bool, escape: str) -> tuple[str, str]:
    """Expand what follows a `$`."""
    braced = text.startswith("{")
    name = NAME.match(text, 1 if braced else 0)
    if not braced:
        return (variables.get(name[0], ""), text[name.end() :]) if name else ("$", text)
    if not name:
        raise ValueError("a `${` names no variable")
    value, rest = variables.get(name[0]), text[name.end() :]
    if rest.startswith("}"):
        return value or "", rest[1:]
    form = re.match(r":?[-+?]", rest)
    if not form:
        raise ValueError(f"`${{{name[0]}{rest[:1]}…}}` is not supported" if rest else "a `${` is not closed")
    word, rest = _until(rest[form.end() :], "}", variables, quotes, escape)
    there = bool(value) if form[0].startswith(":") else value is not None
    if form[0].endswith("+"):
        return (word if there else ""), rest
    if form[0].endswith("?") and not there:
        raise ValueError(f"{name[0]} must be set{': ' * bool(word)}{word}")
    return (value or "") if there else word, rest
