#!/usr/bin/env python3
"""Print the Pythons that pyproject.toml's classifiers name, as a JSON list."""

import json
import re
from pathlib import Path


def supported() -> list[str]:
    """The Pythons that demosaic is tested on, such as 3.10, the oldest first."""
    pyproject = (Path(__file__).resolve().parents[1] / "pyproject.toml").read_text("utf-8")
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', pyproject)


if __name__ == "__main__":
    print(json.dumps(supported()))
