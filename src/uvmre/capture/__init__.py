"""A user's project → an MRE without private values. Pure."""
