"""Secrets: recognized and redacted."""
