"""Networks, model files and what computes them."""
