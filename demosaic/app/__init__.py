"""The local page: pictures and clips restored, faces hidden, an album audited, in a browser."""
