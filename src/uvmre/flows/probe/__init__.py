"""One variant of an MRE on one release, and many of them side by side."""
