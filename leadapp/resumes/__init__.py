"""Decides whether a file is a resume, from a limited number of its bytes."""
