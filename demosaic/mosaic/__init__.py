"""The mosaic as arithmetic."""
