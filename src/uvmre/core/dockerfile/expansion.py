"""A word of a Dockerfile as the builder expands it, by the rules of BuildKit's `frontend/dockerfile/shell/lex.go`."""

import re
from collections.abc import Mapping

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")


def expand(word: str, variables: Mapping[str, str], *, quotes: bool = True, escape: str = "\\") -> str:
    """Return a word of ENV, ARG, WORKDIR, COPY or FROM as the builder has it: quotes taken off, variables put in.

    Args:
        word: as written.
        variables: those that are set; any other is empty.
        quotes: whether quotes are quotes; in a heredoc they are characters.
        escape: takes the meaning off the character behind it.

    Raises:
        ValueError: when a quote or a brace is not closed, a variable that must be set is not, or the form is unknown.
    """
    value, rest = _until(word, "", variables, quotes, escape)
    assert not rest
    return value


def _until(text: str, stop: str, variables: Mapping[str, str], quotes: bool, escape: str) -> tuple[str, str]:
    """Expand up to the character that stops it, and return what follows that."""
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
