"""Texts: normalized, checked, located."""
