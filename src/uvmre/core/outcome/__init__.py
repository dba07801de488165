"""From an observation to an outcome, and from outcomes to a verdict."""
