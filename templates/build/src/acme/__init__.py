"""To edit: what the package must contain for the bug to show."""

__version__ = "1.2.0"
