"""Run a step in namespaces of its own with bubblewrap, where the gateway is the only network."""
