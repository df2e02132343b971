"""Photo folders in, a face-restoring model out."""

__version__ = "0.1.0"
