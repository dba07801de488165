"""Templates and what is made of them; the only importer of copier."""
