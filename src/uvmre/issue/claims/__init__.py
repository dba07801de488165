"""The claims of a post: the possible symptoms."""
