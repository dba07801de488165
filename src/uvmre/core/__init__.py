"""Values and functions of values: no path is opened here, no clock read, nothing printed."""
