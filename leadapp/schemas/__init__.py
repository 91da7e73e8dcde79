"""JSON: readers of bodies and query strings, and its only writers (marshmallow)."""
