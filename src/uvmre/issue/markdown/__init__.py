"""The text of a post as blocks."""
