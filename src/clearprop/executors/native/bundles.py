"""Kernels that run task by task: all of them for the first images, then for the next ones.

Where each task of a kernel needs no more than what the task of the same number wrote before, as
from image to image in a convolutional net, nobody has to wait between the two, and what one writes
the next one finds in the nearest caches.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from clearprop.executors.native.access import Access
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.plan import Bundle, Step

_FURTHEST = 48  # steps that are looked at for one that may join


def bundled(steps: Sequence[Step]) -> list[Step]:
    """The steps, in an order that means the same, with bundles of kernels."""
    waiting, result = list(steps), list[Step]()
    access = cache(Access)  # many steps look at the same following ones
    while waiting:
        first = waiting.pop(0)
        if not isinstance(first, Kernel) or first.tasks == 1:
            result.append(first)
            continue
        before, bundle, waiting = _gathered(first, waiting, access)
        if len(bundle) == 1:
            result.append(first)
        else:
            result += [*before, Bundle(bundle)]
    return _joined(result, access)


def as_one(steps: Sequence[Step]) -> Bundle | None:
    """All steps as one bundle whose tasks need nothing of one another, again and again.

    So each task can run all rounds of a loop without waiting for the others.
    """
    kernels = list[Kernel]()
    for step in steps:
        if isinstance(step, Kernel):
            kernels.append(step)
        elif isinstance(step, Bundle):
            kernels += step.kernels
        else:
            return None
    if not kernels or kernels[0].tasks == 1 or len({each.tasks for each in kernels}) > 1:
        return None
    access = list(map(Access, kernels))
    is_apart = all(one.keeps_to(other) for one in access for other in access)
    return Bundle(kernels) if is_apart else None


def _joined(steps: Sequence[Step], access_of: Callable[[Kernel], Access]) -> list[Step]:
    """The steps, with neighbouring bundles as one where each task needs its own part only."""
    result: list[Step] = []
    for step in steps:
        last = result[-1] if result else None
        if (
            isinstance(last, Bundle)
            and isinstance(step, Bundle)
            and last.tasks == step.tasks
            and all(
                access_of(kernel).keeps_to(access_of(each))
                for kernel in step.kernels
                for each in last.kernels
            )
        ):
            last.kernels += step.kernels
        else:
            result.append(step)
    return result


def _gathered(
    first: Kernel, following: Sequence[Step], access_of: Callable[[Kernel], Access]
) -> tuple[list[Step], list[Kernel], list[Step]]:
    """What may run with a kernel task by task.

    Returns:
        What has to run before them, the kernels, and the steps that are left.
    """
    near = _first_kernels(following[:_FURTHEST])
    before, bundle, left = list[Step](), [first], list[Step]()
    members, passed = [access_of(first)], list[Access]()  # passed: those that will run after them
    for step in near:
        access = access_of(step)
        is_free = not any(access.meets(each) for each in passed)
        follows = any(access.meets(each) for each in members)
        keeps_to = step.tasks == first.tasks and all(access.keeps_to(each) for each in members)
        if is_free and follows and keeps_to:
            bundle.append(step)
            members.append(access)
        elif is_free and not follows and step.tasks != first.tasks:
            before.append(step)
        else:
            left.append(step)
            passed.append(access)
    if len(bundle) == 1:
        return [], bundle, list(following)
    return before, bundle, [*left, *following[len(near) :]]


def _first_kernels(steps: Sequence[Step]) -> list[Kernel]:
    """The steps up to the first that is no kernel."""
    found = []
    for step in steps:
        if not isinstance(step, Kernel):
            break
        found.append(step)
    return found
