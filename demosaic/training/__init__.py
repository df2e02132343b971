"""Pairs to a model: recipes, losses, the loop."""
