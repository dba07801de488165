"""One file per verb: the only place where rooms meet. Plain keywords in, a value out; nothing is printed."""
