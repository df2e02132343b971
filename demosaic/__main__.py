"""`python -m demosaic`."""

from demosaic.cli.main import app

if __name__ == "__main__":
    app()
