"""How good a model is, on faces it was not trained on."""
