"""Known mistakes as small rules: an MRE in, findings out, each with the variant that mends it where one can be run."""
