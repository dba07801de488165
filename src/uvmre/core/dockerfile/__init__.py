"""A Dockerfile as values: parsed, interpreted without an engine, and built."""
