"""A run on disk: how it begins, and what must stay the same when it continues."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from demosaic.config.options import written
from demosaic.config.rules import differences
from demosaic.config.training import FROM_BOX, FROM_NOTHING, RECIPES, SeedConfig, TrainConfig
from demosaic.dataset.reader import Pairs
from demosaic.dataset.records import ShortHash
from demosaic.errors import DemosaicError
from demosaic.events import Event, Listener, Record, log_to
from demosaic.files import (
    make_folder,
    numbered_lines,
    read_json,
    real_path,
    refuse_links_out,
    write_json,
    write_lines,
)
from demosaic.records import read
from demosaic.training.events import LOG_EVERY, StepDone

_NAMES = (
    "config.json",
    "earlier.safetensors",
    "events.jsonl",
    "latest.png",
    "progress.html",
    "resume.pt",
    "samples",
)


def default_run(pairs: Path, preset: str) -> Path:
    """The folder of a run without a name of its own, such as `runs/pairs-default`."""
    return Path("runs") / f"{real_path(pairs).name}-{preset}"


@dataclass(frozen=True)
class _Pairs:
    """What config.json always says of the pairs."""

    pairs: str


@dataclass(frozen=True)
class _Recorded:
    """What config.json records of the options."""

    preset: str
    train: Mapping[str, Any]
    """The options, by name."""


@dataclass(frozen=True)
class _Begun(_Recorded, _Pairs):
    """What config.json records of a run that has begun."""

    fingerprint: ShortHash


@dataclass(frozen=True)
class _Options:
    """What other modules read of the options; the rest is only compared."""

    validations: int | None = None
    init: str | None = None


def begin_run(
    run: Path, config: TrainConfig | SeedConfig, pairs: Pairs, may_grow: Sequence[str]
) -> None:
    """Make the run folder, or check that an existing run has the same options and pairs.

    Options named in `may_grow` may be larger than before. Raises DemosaicError that names what
    differs, or a link that leads out of the run.
    """
    refuse_links_out(run, _NAMES)
    record = {
        "preset": config.preset,
        "train": asdict(_with_init_recorded(config, run)),
        "pairs": _as_recorded(pairs.folder, run),
        "fingerprint": pairs.fingerprint,
    }
    before = _begun(run)
    if before:
        _refuse_changes(run, before, config, pairs, may_grow)
    make_folder(run / "samples")
    write_json(run / "config.json", record)


def config_in(path: Path) -> TrainConfig | SeedConfig:
    """The options that a run's config.json records, to begin another run with.

    Raises DemosaicError when it is no such file.
    """
    begun = read(_Recorded, read_json(path), str(path), others=True)
    if begun.preset not in RECIPES:
        raise DemosaicError(f"{path} is of the preset {begun.preset}, which does not exist here")
    options = _options(begun)
    config = read(RECIPES[begun.preset], dict(options), f"train in {path}")
    if isinstance(config, SeedConfig) or config.init in (FROM_BOX, FROM_NOTHING):
        return config
    return replace(config, init=str(_from_record(config.init, path.parent)))


def pairs_of_run(run: Path) -> Path | None:
    """The pairs that a run was trained on; None when that is not known, or they are elsewhere now.

    Raises DemosaicError when what it records is damaged.
    """
    described = run / "config.json"
    if not described.is_file():
        return None
    named = read(_Pairs, read_json(described), str(described), others=True).pairs
    places = (_from_record(named, run), Path(named))  # before 0.3 as the user had typed it
    return next((place for place in places if place.is_dir()), None)


def _as_recorded(path: Path, run: Path) -> str:
    """How a run names its pairs: by the way from the run to them, or by the folder's name alone
    where that way leads through the user's own folder, which has the user's name.
    """
    try:
        way = Path(os.path.relpath(real_path(path), real_path(run)))
    except ValueError:  # on another drive of Windows
        return path.name
    return path.name if Path.home().name in way.parts else way.as_posix()


def _with_init_recorded(config: TrainConfig | SeedConfig, run: Path) -> TrainConfig | SeedConfig:
    """The config with the model to start from named as a run names its pairs."""
    if isinstance(config, SeedConfig) or config.init in (FROM_BOX, FROM_NOTHING):
        return config
    return replace(config, init=_as_recorded(Path(config.init), run))


def _from_record(named: str, run: Path) -> Path:
    return Path(os.path.normpath(real_path(run) / named))


def _begun(run: Path) -> _Begun | None:
    """What config.json records; None before the first saved state, because a failed start commits
    the user to nothing.
    """
    described = run / "config.json"
    if not described.exists() or not (run / "resume.pt").exists():
        return None
    return read(_Begun, read_json(described), str(described), others=True)


def _options(begun: _Recorded) -> dict[str, Any]:
    """The options of a run that has begun, as this version records them."""
    if begun.preset != TrainConfig.preset:
        return {**begun.train}
    # Before 0.3 there was no album, and the model to start from could be null
    return {"album": False, **begun.train, "init": begun.train.get("init") or FROM_NOTHING}


def begun_options(run: Path) -> Mapping[str, Any]:
    """The options, by name, that a run to continue began with; empty for a new run."""
    begun = _begun(run)
    if begun is None:
        return {}
    read(_Options, begun.train, f"train in {run / 'config.json'}", others=True)
    return _options(begun)


def _refuse_changes(
    run: Path,
    before: _Begun,
    config: TrainConfig | SeedConfig,
    pairs: Pairs,
    may_grow: Sequence[str],
) -> None:
    if before.preset != config.preset:
        changed = [f"preset {before.preset} -> {config.preset}"]
    else:
        recorded = _with_init_recorded(config, run)
        began = _options(before)
        allowed = {
            name: getattr(config, name)
            for name in may_grow
            if None not in (began.get(name), getattr(config, name))
        }
        if began.get("init") == getattr(config, "init", None):
            recorded = config  # before 0.3 as the user had typed it
        changed = differences({**began, **allowed}, recorded)
    if before.fingerprint != pairs.fingerprint:
        named = _from_record(before.pairs, run)
        changed.append(f"pairs {named} -> {pairs.folder}, or other pairs in it")
    if changed:
        raise DemosaicError(
            f"{run} was started with other options ({'; '.join(changed)}): "
            f"give the same ones to go on, or begin a new run with another --name{_from(run)}"
        )
    for name in may_grow:
        begun, now = before.train.get(name), getattr(config, name)
        if isinstance(begun, int | float) and now is not None and now < begun:
            raise DemosaicError(
                f"{run} was started with --{name} {written(begun)}, more than --{name} "
                f"{written(now)}: give as much or more, or another --name"
            )


def _from(run: Path) -> str:
    """How a new run begins with the model of this one, if it has one."""
    best = run / "best.safetensors"
    return f" and --init {best}" if best.is_file() else ""


@dataclass(frozen=True)
class _Logged:
    """What is read here of a line of events.jsonl."""

    step: int = 0


def log(run: Path, step: int) -> Listener:
    """A listener that writes events.jsonl: every event, but only every tenth step.

    Lines after the saved `step` that the run continues from are removed first: they come again.
    Raises DemosaicError when one is damaged.
    """
    log = run / "events.jsonl"
    before = numbered_lines(log) if step else ()
    write_lines(log, [value for number, value in before if _step_of(value, log, number) <= step])
    write = log_to(log, partial(_in_run, run))

    def listen(event: Event) -> None:
        if not isinstance(event, StepDone) or event.step % LOG_EVERY == 0:
            write(event)

    return listen


def _in_run(run: Path, record: Record) -> Record:
    """The record of an event with its paths as the run's folder sees them: the way to the run may
    contain the user's name.
    """
    return {name: _below(run, value) for name, value in record.items()}


def _below(run: Path, value: object) -> object:
    if not isinstance(value, str) or not value.startswith(str(run)):
        return value
    path = Path(value)
    return path.relative_to(run).as_posix() if path.is_relative_to(run) else value


def _step_of(value: object, log: Path, number: int) -> int:
    return read(_Logged, value, f"{log}, line {number}", others=True).step
