"""Known mistakes as small rules: an MRE in, findings out, each with the variant that fixes it where one can be run."""
