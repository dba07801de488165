"""The local proxy that serves the network of every step, and the only sockets of uvmre."""
