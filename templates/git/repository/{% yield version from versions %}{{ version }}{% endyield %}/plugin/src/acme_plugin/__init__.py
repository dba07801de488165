"""To edit: what the package must contain for the bug to show."""
