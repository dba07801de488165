"""Searches over releases: selectors, bisection, matrix."""
