"""Which host answers what, and which faults are injected."""
