"""What is missing to run a post."""
