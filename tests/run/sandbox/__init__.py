"""The sandbox, mirrored."""
