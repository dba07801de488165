"""Parse an issue's text and build an MRE of it. Pure: nothing is opened, requested or run."""
