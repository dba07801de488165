"""The process of the gateway: its loop, connections and certificates."""
