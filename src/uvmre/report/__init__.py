"""Values to text that somebody reads elsewhere; nothing is printed here."""
