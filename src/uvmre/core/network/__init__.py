"""What an MRE says of its network: indexes, registry profiles, synthetic packages, faults."""
