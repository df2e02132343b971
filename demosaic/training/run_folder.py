"""A run on disk: begun, gone on with, refused."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from demosaic.config.rules import differences
from demosaic.config.training import SeedConfig, TrainConfig
from demosaic.dataset.reader import Pairs
from demosaic.errors import DemosaicError
from demosaic.events import Event, Listener, log_to
from demosaic.files import make_folder, read_json, read_lines, real_path, write_json, write_lines
from demosaic.training.events import LOG_EVERY, StepDone

# The run folder


def default_run(pairs: Path, preset: str) -> Path:
    """The folder of a run without a name of its own, such as `runs/pairs-default`."""
    return Path("runs") / f"{real_path(pairs).name}-{preset}"


def begin_run(run: Path, config: TrainConfig | SeedConfig, pairs: Pairs) -> None:
    """Make the run folder, or check that what is there was made of the same options and pairs.

    More steps than before are no other configuration under a constant rate, as the seed's: a longer
    run goes the same way.
    """
    record = {
        "preset": config.preset,
        "train": asdict(config),
        "pairs": str(pairs.folder),
        "fingerprint": pairs.fingerprint,
    }
    before = _begun(run)
    if before:
        _refuse_changes(run, before, config, pairs)
    make_folder(run / "samples")
    write_json(run / "config.json", record)


def _begun(run: Path) -> dict[str, Any]:
    """What the run to go on with was begun with; nothing where there is none, as a failed start
    binds nobody.
    """
    described = run / "config.json"
    return read_json(described) if described.exists() and (run / "resume.pt").exists() else {}


def validating_as_begun(config: TrainConfig | SeedConfig, run: Path) -> TrainConfig | SeedConfig:
    """The config with as many validations as the run began with, where no number is asked for: what
    is usual has changed between versions.
    """
    if isinstance(config, SeedConfig) or config.validations:
        return config
    return replace(config, validations=_begun(run).get("train", {}).get("validations"))


def _refuse_changes(
    run: Path, before: dict[str, Any], config: TrainConfig | SeedConfig, pairs: Pairs
) -> None:
    if before["preset"] != config.preset:
        changed = [f"preset {before['preset']} -> {config.preset}"]
    elif isinstance(config, SeedConfig):
        changed = differences({**before["train"], "steps": config.steps}, config)
    else:
        changed = differences(before["train"], config)
    if before["fingerprint"] != pairs.fingerprint:
        changed.append(f"pairs {before['pairs']} -> {pairs.folder}, or other pairs in it")
    if changed:
        raise DemosaicError(
            f"{run} was started otherwise ({'; '.join(changed)}): give the same, or another --name"
        )
    if isinstance(config, SeedConfig) and config.steps < before["train"]["steps"]:
        raise DemosaicError(
            f"{run} is for {before['train']['steps']} steps, more than --steps {config.steps}"
        )


def log(run: Path, step: int) -> Listener:
    """events.jsonl: everything, but of the steps only every tenth.

    What was logged after the saved `step` that the run goes on from will come again, so it is cut.
    """
    log = run / "events.jsonl"
    before = read_lines(log) if step else []
    write_lines(log, [line for line in before if line.get("step", 0) <= step])
    write = log_to(log)

    def listen(event: Event) -> None:
        if not isinstance(event, StepDone) or event.step % LOG_EVERY == 0:
            write(event)

    return listen
