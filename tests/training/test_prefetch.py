"""Batches drawn ahead."""

import threading

from demosaic.training.prefetch import draw_ahead


def test_the_next_batch_is_drawn_while_a_step_is_taken() -> None:
    drawn: list[int] = []
    next_is_drawn = threading.Event()

    def draw(step: int) -> str:
        drawn.append(step)
        if step == 4:
            next_is_drawn.set()
        return f"batch {step}"

    with draw_ahead(draw, 3) as take:
        assert take(3) == "batch 3"
        assert next_is_drawn.wait(60)
        assert take(4) == "batch 4"
    assert drawn == [3, 4, 5]
