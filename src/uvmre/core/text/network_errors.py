"""How uv reports that a host cannot be reached."""

NETWORK_ERRORS = r"error sending request|dns error|connection (?:refused|reset)|timed? ?out|unknownissuer"
"""A part of a pattern, to be matched without case; who uses it adds what counts for its own question."""
