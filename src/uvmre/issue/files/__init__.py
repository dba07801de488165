"""The files of a post."""
