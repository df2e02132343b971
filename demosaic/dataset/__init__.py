"""Photos to pairs on disk."""
