"""Releases, interpreters, platforms and variables of a post."""
