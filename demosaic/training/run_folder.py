"""A run on disk: how it begins, and what must stay the same when it continues."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from demosaic.config.rules import differences
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.dataset.reader import Pairs
from demosaic.errors import DemosaicError
from demosaic.events import Event, Listener, log_to
from demosaic.files import make_folder, read_json, read_lines, real_path, write_json, write_lines
from demosaic.training.events import LOG_EVERY, StepDone


def default_run(pairs: Path, preset: str) -> Path:
    """The folder of a run without a name of its own, such as `runs/pairs-default`."""
    return Path("runs") / f"{real_path(pairs).name}-{preset}"


def begin_run(
    run: Path, config: TrainConfig | SeedConfig, pairs: Pairs, may_grow: Sequence[str]
) -> None:
    """Make the run folder, or check that an existing run has the same options and pairs.

    Options named in `may_grow` may be larger than before. Raises DemosaicError that names what
    differs.
    """
    record = {
        "preset": config.preset,
        "train": asdict(config),
        "pairs": str(pairs.folder),
        "fingerprint": pairs.fingerprint,
    }
    before = _begun(run)
    if before:
        _refuse_changes(run, before, config, pairs, may_grow)
    make_folder(run / "samples")
    write_json(run / "config.json", record)


def _begun(run: Path) -> dict[str, Any]:
    """What config.json records; empty before the first saved state, because a failed start commits
    the user to nothing.
    """
    described = run / "config.json"
    return read_json(described) if described.exists() and (run / "resume.pt").exists() else {}


def begun_options(run: Path) -> dict[str, Any]:
    """The options, by name, that a run to continue began with; empty for a new run."""
    options: dict[str, Any] = _begun(run).get("train", {})
    return options


def _refuse_changes(
    run: Path,
    before: dict[str, Any],
    config: TrainConfig | SeedConfig,
    pairs: Pairs,
    may_grow: Sequence[str],
) -> None:
    options = before["train"]
    if before["preset"] != config.preset:
        changed = [f"preset {before['preset']} -> {config.preset}"]
    else:
        allowed = {name: getattr(config, name) for name in may_grow}
        changed = differences({**options, **allowed}, config)
    if before["fingerprint"] != pairs.fingerprint:
        changed.append(f"pairs {before['pairs']} -> {pairs.folder}, or other pairs in it")
    if changed:
        raise DemosaicError(
            f"{run} was started with other options ({'; '.join(changed)}): "
            "give the same ones, or another --name"
        )
    for name in may_grow:
        if getattr(config, name) < options[name]:
            raise DemosaicError(
                f"{run} was started with --{name} {options[name]}, more than "
                f"--{name} {getattr(config, name)}"
            )


def log(run: Path, step: int) -> Listener:
    """A listener that writes events.jsonl: every event, but only every tenth step.

    Lines after the saved `step` that the run continues from are removed first: they come again.
    """
    log = run / "events.jsonl"
    before = read_lines(log) if step else []
    write_lines(log, [line for line in before if line.get("step", 0) <= step])
    write = log_to(log)

    def listen(event: Event) -> None:
        if not isinstance(event, StepDone) or event.step % LOG_EVERY == 0:
            write(event)

    return listen
