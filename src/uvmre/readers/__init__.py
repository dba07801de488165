"""Readers besides the rules: what a program is asked about an issue, and what it may answer."""
