"""Resumes: inspection and storage."""
