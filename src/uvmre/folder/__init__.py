"""An MRE on disk: reading the folder, and keeping the evidence of its runs."""
