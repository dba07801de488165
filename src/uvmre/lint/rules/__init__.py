"""The lint rules by subject."""
