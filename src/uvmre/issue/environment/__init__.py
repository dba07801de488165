"""The releases, interpreters, platforms and variables of a post."""
