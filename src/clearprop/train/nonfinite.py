"""When a loss is no number any more: which step, which layer, which operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from clearprop.errors import NumericsError
from clearprop.ir.meaning import first_nonfinite
from clearprop.ir.place import NOWHERE
from clearprop.ir.value import Array
from clearprop.train.chunks import ChunkRunner

if TYPE_CHECKING:
    from clearprop.train.model import Model


def refuse_nonfinite(
    model: Model,
    runner: ChunkRunner,
    carry: Sequence[Array],
    rows: Array,
    given: Sequence[Array],
    losses: Array,
    take_over: Callable[[Sequence[Array]], None],
) -> None:
    """Raise if a step of the chunk that was just run had a loss that is NaN or infinite.

    The chunk is replayed to the step before, whose weights the model keeps, and that one step is
    computed equation by equation to name the first that gave what is no number.

    Raises:
        NumericsError: naming the layer, the operation and the user's line.
    """
    bad = ~np.isfinite(losses)
    if not bad.any():
        return
    step = int(np.argmax(bad))
    if step:
        carry, _ = runner.run(carry, rows[:step], given)
    take_over(carry)
    found = first_nonfinite(runner.step.body, [*carry, rows[step], *given])
    place = found.equation.place if found else NOWHERE
    what = found.equation.primitive.name if found else "the loss"
    in_layer = f" in layer {place.layer}" if place.layer else ""
    raise NumericsError(
        f'fit: training "{model.name}" gave a loss that is {_word(losses[step])}',
        found=f"the first such number comes out of `{what}`{in_layer}",
        needed="finite numbers",
        try_="a smaller learning rate, clipnorm=1.0 in the optimizer, scaled inputs, or a loss "
        "computed from logits; the model keeps the weights from before this step",
        at=str(place),
    )


def _word(number: float) -> str:
    return "NaN" if np.isnan(number) else "infinite"
