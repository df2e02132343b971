"""Frozen option records: the only home of a default."""
