"""An MRE on disk: its files, and the evidence of its runs."""
