"""HTTP machinery that pages and API share."""
