"""The parts of `uvmre capture` that need the network, a gateway or a run."""
