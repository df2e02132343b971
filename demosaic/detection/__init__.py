"""Where a mosaic is in a picture, and its grid."""
