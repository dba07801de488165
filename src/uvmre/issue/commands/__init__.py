"""The commands of a post."""
