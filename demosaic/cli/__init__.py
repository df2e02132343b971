"""The command line: words to one call."""
