"""What the post says goes wrong."""
