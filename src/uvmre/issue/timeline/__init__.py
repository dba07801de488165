"""The order of what a post shows."""
