"""Accounts of attorneys: sign-in, passwords and limits on attempts."""
