"""The releases of uv on PyPI, and their binaries in the cache."""
