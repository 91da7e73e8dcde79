"""What counts as a resume: it is read from the bytes of a file, with bounds."""
