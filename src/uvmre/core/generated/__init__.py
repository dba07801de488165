"""The files generated beside a manifest, with which an MRE runs without uvmre."""
