"""A user's project on disk, and what its private indexes and uv's cache say of its packages. Nothing is written."""
