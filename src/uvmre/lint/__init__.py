"""Rules for known mistakes in an MRE; a finding may have a variant of the MRE that fixes it."""
