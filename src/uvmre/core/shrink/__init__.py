"""What can be left out of an MRE, or of any folder: the passes of `core.search.shrink`."""
