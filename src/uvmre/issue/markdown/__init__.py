"""The blocks of a post's Markdown."""
