"""How long a user waits before anything happens.

    python tests/benchmarks/startup.py FACE --model MODEL

Prints the best of five cold starts: `demosaic --help`, `python -c "import torch"`, and `restore` of
one picture as a multiple of it.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("face", type=Path)
    parser.add_argument("--model", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        restore = ["restore", str(options.face), "--model", str(options.model), "--force"]
        out = ["--out", str(Path(folder) / "face.png")]
        commands = {
            "demosaic --help": ["-m", "demosaic", "--help"],
            'python -c "import torch"': ["-c", "import torch"],
            "demosaic restore": ["-m", "demosaic", *restore, *out],
        }
        seconds = {name: best_of(command) for name, command in commands.items()}
    torch = seconds['python -c "import torch"']
    for name, taken in seconds.items():
        print(f"{taken:.2f} s, {taken / torch:.2f} x importing torch: {name}")


def best_of(command: list[str]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    main()
