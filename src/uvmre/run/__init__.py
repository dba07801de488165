"""Running the steps of a variant: the only processes that uvmre starts."""
