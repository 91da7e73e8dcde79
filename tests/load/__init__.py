"""Figures, not tests: `make test` does not run them."""
