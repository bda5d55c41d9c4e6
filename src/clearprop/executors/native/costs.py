"""Whether several threads pay: an estimate of how long a plan takes, alone and together.

Results never depend on the choice.
"""

from __future__ import annotations

from clearprop.executors.native.control import steps_in
from clearprop.executors.native.kernels.kernel import Kernel
from clearprop.executors.native.plan import Bundle, Choice, Plan, Preparation, Repetition

_CALL_SECONDS = 4e-9
_BARRIER_SECONDS = 1.5e-6  # with others on the machine too
_TEAM_SECONDS = 1e-5  # to call the threads and to wait for their end
_GAIN = 1.15  # together must be faster by this much


def pays(plan: Plan, threads: int, *, is_loop: bool) -> bool:
    """Whether a plan is faster with several threads.

    Args:
        plan: what is run.
        threads: how many there are.
        is_loop: whether it is run for many rounds in one call, so that starting threads costs
            nothing.
    """
    if any(isinstance(step, Repetition) and step.plan.replicas for _, step in steps_in(plan)):
        return True  # most are so brief that ``pace`` finds out, while they run, what is faster
    alone, together = _seconds(plan, threads)
    if not is_loop:
        together += _TEAM_SECONDS
    return together * _GAIN < alone


def estimated_seconds(plan: Plan) -> float:
    """About how long a plan takes on one thread; a loop of unknown length counts as one round."""
    return _seconds(plan, 1)[0]


def round_seconds(plan: Plan) -> float:
    """About how long a round takes of the loops that most of a plan's time goes to."""
    seconds = estimated_seconds(plan)
    while True:
        loops = [step.plan for step in plan.steps if isinstance(step, Repetition)
                 and _rounds(step) * estimated_seconds(step.plan) > seconds / 2]  # fmt: skip
        if not loops:
            return seconds
        plan, seconds = loops[0], estimated_seconds(loops[0])


def _rounds(step: Repetition) -> int:
    return 1 if step.length is None else step.length


def _seconds(plan: Plan, threads: int) -> tuple[float, float]:
    """How long it takes with one thread, and with several."""
    alone = together = 0.0
    for step in plan.steps:
        if isinstance(step, Kernel):
            seconds = step.seconds + _CALL_SECONDS
            alone += seconds
            if step.tasks > 1:
                together += seconds / min(threads, step.tasks) + 2 * _BARRIER_SECONDS
            else:
                together += seconds
        elif isinstance(step, Bundle):
            seconds = sum(kernel.seconds + step.tasks * _CALL_SECONDS for kernel in step.kernels)
            alone += seconds
            together += seconds / min(threads, step.tasks) + 2 * _BARRIER_SECONDS
        elif isinstance(step, Repetition):
            one, several = _seconds(step.plan, threads)
            rounds = _rounds(step)
            alone += rounds * one
            together += rounds * (several + _BARRIER_SECONDS)
        elif isinstance(step, Preparation):
            continue  # most calls find it done
        else:
            assert isinstance(step, Choice)
            both = [_seconds(each, threads) for each in step.plans]
            alone += max(one for one, _ in both)
            together += max(several for _, several in both) + _BARRIER_SECONDS
    return alone, together
