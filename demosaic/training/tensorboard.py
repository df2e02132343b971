"""Losses and scores for TensorBoard, an optional package."""

from pathlib import Path

from demosaic.errors import DemosaicError, how_to_install
from demosaic.events import Event, Listener
from demosaic.training.events import Evaluated, StepDone


def log_to_board(folder: Path) -> Listener:
    """A listener that writes losses and scores below `folder` for `tensorboard --logdir`.

    Raises DemosaicError when the package tensorboard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise DemosaicError(
            f"--tensorboard needs the package tensorboard: {how_to_install('tensorboard')}"
        ) from error
    writer = SummaryWriter(folder)

    def listen(event: Event) -> None:
        match event:
            case StepDone(step, _, losses, _):
                numbers = {f"loss/{name}": loss for name, loss in losses.items()}
            case Evaluated(step, scores, _):
                numbers = {f"{name}/psnr": found.psnr for name, found in scores.items()}
                numbers |= {f"{name}/ssim": found.ssim for name, found in scores.items()}
            case _:
                return
        for name, number in numbers.items():
            writer.add_scalar(name, number, step)
        writer.flush()

    return listen
