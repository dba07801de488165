"""Shell commands as values."""
