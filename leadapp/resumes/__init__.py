"""Decides from the bytes of a file, within bounds, whether it is a resume."""
