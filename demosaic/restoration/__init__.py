"""Pixelated faces restored: a region, a picture, a folder, a clip."""
