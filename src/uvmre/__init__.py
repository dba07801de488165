"""Minimal reproducible examples of uv bugs: scaffold one, run it, say with evidence whether the bug shows."""

__version__ = "0.1.0"
