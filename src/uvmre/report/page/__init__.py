"""An MRE and its last run for the eye: a page, and a picture of the terminal."""
