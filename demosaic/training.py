"""The loop that turns pairs into a model: the article's pix2pix."""

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from demosaic.checkpoints import ModelCard, load_state, save_model, save_state, write_card
from demosaic.config import DeviceConfig, TrainConfig, differences
from demosaic.devices import Compute, choose
from demosaic.errors import DemosaicError, Interrupted
from demosaic.evaluation import as_record, baselines, evaluate, restorations
from demosaic.events import (
    LOG_EVERY,
    Evaluated,
    Event,
    Listener,
    ModelSaved,
    Notice,
    Scores,
    SheetSaved,
    StepDone,
    TrainingStarted,
    TrainReport,
    ignore,
    log_to,
    tee,
)
from demosaic.files import make_folder, read_json, read_lines, write_json, write_lines
from demosaic.images import Pixels, contact_sheet, to_uint8, write_png
from demosaic.mosaic import cell_colours, finish
from demosaic.networks import Discriminator, Generator, frozen
from demosaic.pairs import Batch, Pairs

_SAMPLES = 8
_KERAS_EPS = 1e-7
_BETAS = (0.5, 0.999)


@dataclass
class Networks:
    """What is being trained, with its optimisers."""

    generator: Generator
    discriminator: Discriminator
    generator_adam: torch.optim.Adam
    discriminator_adam: torch.optim.Adam

    @classmethod
    def fresh(cls, config: TrainConfig, device: torch.device) -> "Networks":
        """Networks as they are before the first step, the same for the same seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            generator, discriminator = Generator(config.network), Discriminator(config.network)
        _settle(generator, device)
        _settle(discriminator, device)
        return cls(generator, discriminator, _adam(generator, config), _adam(discriminator, config))

    def state(self) -> dict[str, Any]:
        """All of it, as `load` takes it."""
        return {name: part.state_dict() for name, part in vars(self).items()}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a `state`."""
        for name, part in vars(self).items():
            part.load_state_dict(state[name])


@dataclass(frozen=True)
class Best:
    """The best validation so far."""

    step: int = 0
    psnr: float = -math.inf


def train(
    folder: Path,
    run: Path,
    config: TrainConfig,
    *,
    devices: DeviceConfig | None = None,
    listen: Listener = ignore,
) -> TrainReport:
    """Train on the pairs in `folder` into the run folder `run`, or go on with what is there.

    Raises DemosaicError when the pairs cannot be used, when the run was started with other options
    or pairs, or when the losses stop being numbers; Interrupted after Ctrl-C, with everything
    saved.
    """
    pairs = Pairs(folder, direction=config.direction, multiple=config.network.multiple)
    _begin_run(run, config, pairs)
    state = load_state(run / "resume.pt") if (run / "resume.pt").exists() else None
    step, best = (state["step"], Best(**state["best"])) if state else (0, Best())
    if step >= config.steps:
        listen(Notice(f"{run} is finished: all its {step} steps are done"))
        return _report(run, step, best)
    listen = tee(listen, _log(run, step))
    validation = pairs.val[: config.validation_pairs]
    for sentence in _about(pairs, config, len(validation)):
        listen(Notice(sentence))
    compute, why = choose(devices or DeviceConfig(), _trial(config, pairs), _precision(state))
    listen(Notice(why))
    networks = Networks.fresh(config, compute.device)
    if state:
        networks.load(state)
    else:
        listen(Evaluated(0, baselines(pairs, validation), best=False))
    listen(TrainingStarted(step, config.steps))

    def validate(step: int, best: Best) -> Best:
        scores = evaluate(networks.generator, pairs, validation, compute)
        card = _card(pairs, config, step, scores)
        better = _psnr(scores) > best.psnr
        listen(Evaluated(step, scores, best=better))
        for name in ("model", "best") if better else ("model",):
            save_model(run / f"{name}.safetensors", networks.generator, card)
            listen(ModelSaved(str(run / f"{name}.safetensors"), step))
        write_card(run / "MODEL.md", card)
        sheet = run / "samples" / f"step-{step:06d}.png"
        write_png(sheet, _samples(networks.generator, pairs, compute))
        listen(SheetSaved(str(sheet), step))
        return Best(step, _psnr(scores)) if better else best

    # The loop
    with _stopping() as stopped, _drawn_ahead(pairs, config, step) as draw:
        while step < config.steps:
            start = time.perf_counter()
            losses = train_step(networks, draw(step), config, compute)
            step += 1
            _refuse_nan(losses, step, run)
            listen(StepDone(step, time.perf_counter() - start, losses))
            last, stop = step == config.steps, stopped()
            validating = last or step % config.validate_every == 0
            saving = last or step % config.save_every == 0 or stop
            if validating or saving:
                _refuse_nan_weights(networks, step, run)
            if validating:
                best = validate(step, best)
            if saving:
                save_state(run / "resume.pt", _state(networks, step, best, compute))
            if stop and not last:
                raise Interrupted(
                    f"stopped at step {step} of {config.steps}, saved in {run}: "
                    "the same command goes on"
                )
    return _report(run, step, best)


def _report(run: Path, step: int, best: Best) -> TrainReport:
    model, kept = str(run / "model.safetensors"), str(run / "best.safetensors")
    return TrainReport(run=str(run), model=model, step=step, best=kept, best_step=best.step)


def train_step(
    networks: Networks, batch: Batch, config: TrainConfig, compute: Compute
) -> dict[str, float]:
    """One step in the article's order; the losses under the names it logs.

    The discriminator is updated twice, on real pairs and on fakes that the generator makes as it
    does at use; then the generator, once, through the discriminator as it is now.
    """
    observed, target = (
        compute.take(torch.from_numpy(half)) for half in (batch.observed, batch.target)
    )
    networks.generator.eval()
    with torch.no_grad(), compute.precision():
        fake = networks.generator(observed).float()
    networks.generator.train()
    real_loss = _update_discriminator(networks, target, observed, compute, label=1.0)
    fake_loss = _update_discriminator(networks, fake, observed, compute, label=0.0)
    adversarial, l1 = _update_generator(networks, observed, target, config, compute)
    return {
        "discriminator": (real_loss + fake_loss) / 2,
        "generator": adversarial + config.l1_weight * l1,
        "adversarial": adversarial,
        "l1": l1,
    }


def _update_discriminator(
    networks: Networks, face: Tensor, observed: Tensor, compute: Compute, *, label: float
) -> float:
    with compute.precision():
        judged = networks.discriminator(face, observed).float()
    loss = F.mse_loss(judged, torch.full_like(judged, label))
    _adam_step(networks.discriminator_adam, loss)
    return float(loss.detach())


def _update_generator(
    networks: Networks, observed: Tensor, target: Tensor, config: TrainConfig, compute: Compute
) -> tuple[float, float]:
    with frozen(networks.discriminator):
        with compute.precision():
            restored = networks.generator(observed)
            judged = networks.discriminator(restored, observed).float()
        adversarial = F.mse_loss(judged, torch.ones_like(judged))
        l1 = F.l1_loss(restored.float(), target)
        _adam_step(networks.generator_adam, adversarial + config.l1_weight * l1)
    return float(adversarial.detach()), float(l1.detach())


# Adam, as Keras has it


def _adam(network: nn.Module, config: TrainConfig) -> torch.optim.Adam:
    return torch.optim.Adam(network.parameters(), lr=config.lr, betas=_BETAS, fused=True)


def _adam_step(adam: torch.optim.Adam, loss: Tensor) -> None:
    """Back-propagate and update, with Keras's epsilon.

    Keras adds eps before it corrects the second moment's bias and PyTorch after: eps / sqrt(1 -
    beta2^t) is the same.
    """
    adam.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    group = adam.param_groups[0]
    state = adam.state.get(group["params"][0])
    taken = int(state["step"]) if state else 0
    group["eps"] = _KERAS_EPS / math.sqrt(1 - _BETAS[1] ** (taken + 1))
    adam.step()


def _settle(network: nn.Module, device: torch.device) -> None:
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]


def _trial(config: TrainConfig, pairs: Pairs) -> Callable[[Compute], Tensor]:
    """Some work like a step's, on a network of its own, to choose the precision by."""
    size, generator = pairs.size, Generator(config.network)
    image = (
        torch.rand(
            (config.batch, 3, size, size), generator=torch.Generator().manual_seed(config.seed)
        )
        * 2
        - 1
    )

    def work(compute: Compute) -> Tensor:
        _settle(generator, compute.device)
        generator.zero_grad()
        with compute.precision():
            restored = generator(compute.take(image))
        restored.float().square().mean().backward()
        output: Tensor = restored.detach()
        return output

    return work


# The run folder


def _begin_run(run: Path, config: TrainConfig, pairs: Pairs) -> None:
    """Make the run folder, or check that what is there was made of the same options and pairs.

    More steps than before are no other configuration: the rate is constant, so a longer run goes
    the same way.
    """
    described = run / "config.json"
    record = {"train": asdict(config), "pairs": str(pairs.folder), "fingerprint": pairs.fingerprint}
    if described.exists() and (run / "resume.pt").exists():  # a failed start binds nobody
        before = read_json(described)
        changed = differences({**before["train"], "steps": config.steps}, config)
        if before["fingerprint"] != pairs.fingerprint:
            changed.append(f"pairs {before['pairs']} -> {pairs.folder}, or other pairs in it")
        if changed:
            raise DemosaicError(
                f"{run} was started otherwise ({'; '.join(changed)}): "
                "give the same, or another --name"
            )
        if config.steps < before["train"]["steps"]:
            raise DemosaicError(
                f"{run} is for {before['train']['steps']} steps, more than --steps {config.steps}"
            )
    make_folder(run / "samples")
    write_json(described, record)


def _state(networks: Networks, step: int, best: Best, compute: Compute) -> dict[str, Any]:
    """All that a run needs to go on as if it had never stopped."""
    return {"step": step, "best": asdict(best), "bf16": compute.bf16, **networks.state()}


def _precision(state: dict[str, Any] | None) -> bool | None:
    """Whether the run so far was computed in bf16; None at the start."""
    return bool(state["bf16"]) if state else None


def _log(run: Path, step: int) -> Listener:
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


def _about(pairs: Pairs, config: TrainConfig, validation: int) -> Iterator[str]:
    """What a user should know of the data before the first step."""
    count = len(pairs.train[: config.limit])
    yield f"{count} training pairs of {pairs.size} px, {validation} validation pairs"
    if pairs.left_out:
        yield f"{len(pairs.left_out)} files are no pictures: {pairs.left_out[0]}"
    if pairs.grid is None:
        yield "the inputs are no mosaics made by build-dataset: nothing will be reconciled"
    if not set(pairs.val).isdisjoint(pairs.train[: config.limit]):
        yield "there is only one pair: its scores say nothing about other pictures"


def _card(pairs: Pairs, config: TrainConfig, step: int, scores: dict[str, Scores]) -> ModelCard:
    return ModelCard(
        preset=config.preset,
        network=config.network,
        size=pairs.size,
        block=pairs.grid.width if pairs.grid else None,
        step=step,
        seed=config.seed,
        dataset=pairs.fingerprint,
        train_pairs=len(pairs.train[: config.limit]),
        val_pairs=len(pairs.val[: config.validation_pairs]),
        scores=as_record(scores),
    )


def _psnr(scores: dict[str, Scores]) -> float:
    """What decides which model is the best: the PSNR of the pictures as a user would get them."""
    return scores["reconciled" if "reconciled" in scores else "restored"].psnr


def _samples(generator: Generator, pairs: Pairs, compute: Compute) -> Pixels:
    """A sheet of [mosaic | restored | original], always of the same validation pairs."""
    rows: list[Pixels] = []
    for observed, target, restored in restorations(generator, pairs, pairs.val[:_SAMPLES], compute):
        output = to_uint8(restored)
        if pairs.grid:
            output = finish(restored, cell_colours(observed, pairs.grid), pairs.grid)
        rows.append(np.hstack([observed, output, target]))
    return contact_sheet(rows, 2, pairs.size)


def _refuse_nan(losses: dict[str, float], step: int, run: Path) -> None:
    if not all(map(math.isfinite, losses.values())):
        raise _not_numbers("losses", step, run)


def _refuse_nan_weights(networks: Networks, step: int, run: Path) -> None:
    """A step's losses are older than its update: look at what the update made before it is kept."""
    parameters = (*networks.generator.parameters(), *networks.discriminator.parameters())
    if not all(bool(torch.isfinite(parameter).all()) for parameter in parameters):
        raise _not_numbers("weights", step, run)


def _not_numbers(what: str, step: int, run: Path) -> DemosaicError:
    return DemosaicError(
        f"the {what} are no numbers any more at step {step}; {run} keeps the last good state: "
        "go on from it with --precision fp32, or start another --name with a lower --lr"
    )


# Around the loop


@contextmanager
def _drawn_ahead(pairs: Pairs, config: TrainConfig, first: int) -> Iterator[Callable[[int], Batch]]:
    """A function that gives the batch of a step and has the next one read meanwhile."""

    def read(step: int) -> Batch:
        return pairs.draw(config.batch, seed=config.seed, step=step, limit=config.limit)

    with ThreadPoolExecutor(1) as reader:
        ahead: dict[int, Future[Batch]] = {first: reader.submit(read, first)}

        def draw(step: int) -> Batch:
            batch = ahead.pop(step).result()
            ahead[step + 1] = reader.submit(read, step + 1)
            return batch

        yield draw


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C (or a polite kill) came: the step is finished first. A second one stops at
    once.
    """
    requests: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        if requests:
            raise KeyboardInterrupt
        requests.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # only the main thread may handle signals
        return
    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(requests)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
