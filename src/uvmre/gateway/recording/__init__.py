"""What the network answered, kept and replayed."""
