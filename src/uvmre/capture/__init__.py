"""A private project's MRE without what is private: pure functions of values."""
