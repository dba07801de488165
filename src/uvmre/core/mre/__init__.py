"""The MRE as a value, and its manifest."""
