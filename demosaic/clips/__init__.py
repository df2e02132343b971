"""Clips: frames read, edited in their own planes and written; all else copied as it is."""
