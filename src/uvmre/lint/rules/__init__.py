"""The lint rules, a file for each subject."""
