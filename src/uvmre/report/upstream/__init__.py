"""An MRE in the forms that uv's own repository uses."""
