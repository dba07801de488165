"""An issue's text → what was understood of it → an MRE. Pure: nothing here opens, asks or runs anything."""
