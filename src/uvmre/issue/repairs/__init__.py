"""Repairs of an MRE, each keyed on what its last run printed."""
