"""The network of an MRE: indexes, registry profiles, synthetic packages, faults."""
