"""Slots: memory of each thread for what only one task needs, as one image between two kernels.

An array that a bundle makes and uses up need not exist as a whole.  A thread's slot holds the part
of one task; the next task overwrites it, and so it stays in the nearest caches instead of
travelling to memory and back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from clearprop.executors.native.homes import Buffer, Stripe
from clearprop.executors.native.memory import Lifetime, place
from clearprop.executors.native.plan import Bundle


def give_slots(bundle: Bundle, own: Collection[Buffer]) -> list[Buffer]:
    """Let what a bundle has for itself lie in slots; returns those buffers.

    Args:
        bundle: the kernels that run task by task.
        own: buffers that no step but the bundle is at.
    """
    lives: dict[Buffer, Lifetime] = {}
    spans: dict[Buffer, set[Stripe | None]] = {}
    for number, kernel in enumerate(bundle.kernels):
        for home, span in zip(kernel.homes, kernel.spans, strict=True):
            if home.buffer in own:
                lives.setdefault(home.buffer, Lifetime(home.buffer, number, number)).last = number
                spans.setdefault(home.buffer, set()).add(span)
    steps = _equal(spans)
    for buffer, step in steps.items():
        buffer.kind, buffer.size_bytes, buffer.row_bytes = "slot", step, step
    bundle.slot_bytes = place([lives[buffer] for buffer in steps])
    return list(steps)


def _equal(spans: Mapping[Buffer, set[Stripe | None]]) -> dict[Buffer, int]:
    """The buffers of which every kernel's tasks are at one stretch of one size, and that size."""
    found = {}
    for buffer, stripes in spans.items():
        (stripe,) = stripes if len(stripes) == 1 else (None,)
        if stripe is not None and not stripe.period_bytes:
            found[buffer] = stripe.size_bytes
    return found
