"""What is known of many releases, kept from one search to the next."""
