"""Make text of strangers safe to show: no character of it controls a terminal, hides text or reorders it."""

import re

HIDING = r"\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
"""DEL, C1, separators, the overrides of bidirectional text (https://trojansource.codes), and lone surrogates."""
CONTROL = re.compile(rf"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f{HIDING}]")
IN_STRING = re.compile(rf"[{HIDING}]")
SEQUENCE = re.compile(
    # CSI; strings such as OSC; and sequences of two or three bytes (ECMA-48).
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)


def visible(text: str) -> str:
    """Return a text without escape sequences, and with U+FFFD for every other control character but tab and newline."""
    # Each sequence starts with a control character.
    if text.isprintable() or not CONTROL.search(text):
        return text
    return CONTROL.sub("\ufffd", SEQUENCE.sub("", text))


def escape_hiding(text: str) -> str:
    """Return JSON or TOML whose strings have such characters as escapes; other control characters they have already."""
    return text if text.isprintable() else IN_STRING.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def shown_name(text: str) -> str:
    """Return a name on one line, as a literal of Python where it has characters that cannot be shown."""
    return text if text.isprintable() else ascii(text)


def one_line(text: str) -> str:
    """Return a text on one line, for a comment or a title."""
    return " ".join(visible(text).split())
