"""Tests with input that somebody made to do harm."""
