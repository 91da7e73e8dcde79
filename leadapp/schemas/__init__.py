"""Marshmallow schemas: readers of JSON bodies and query strings, writers of JSON."""
