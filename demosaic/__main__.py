"""`python -m demosaic`."""

from demosaic.cli import app

if __name__ == "__main__":
    app()
