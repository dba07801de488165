"""Scripts that write the files of an MRE."""
