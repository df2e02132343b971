"""`python -m demosaic`."""

from demosaic.cli.application import app

if __name__ == "__main__":
    app()
