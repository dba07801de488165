"""The one door to the network that every step is given, and the only sockets of uvmre."""
