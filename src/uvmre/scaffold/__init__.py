"""Templates and rendering them with copier."""
