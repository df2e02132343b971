"""The mosaic as arithmetic: grids, cell means, the base image, exact rounding."""
