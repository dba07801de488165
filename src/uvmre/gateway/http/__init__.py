"""HTTP/1.1: parsing, messages, one exchange."""
