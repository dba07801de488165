"""Text: normalization, and checks and positions in TOML."""
