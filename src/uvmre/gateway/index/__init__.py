"""The answers of package indexes."""
