"""What is known of an issue, what to run next, and the verdict."""
