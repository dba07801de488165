"""What is private in an MRE, and what replaces it."""
