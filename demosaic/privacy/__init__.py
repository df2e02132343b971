"""Faces hidden, and how little a mosaic hides."""
