"""PyTorch's table of operations with samples: same numbers, same derivatives, same mistakes."""

from __future__ import annotations

import contextlib
import inspect
import random
import sys
from collections import Counter
from types import FrameType
from typing import Any

import pytest

from clearprop import ops
from tests.reference.opinfo.accepted import ACCEPTED, Accepted, reason_for
from tests.reference.opinfo.helpers import NotHere
from tests.reference.opinfo.samples import (
    LEAST,
    OPERATIONS,
    call_ours,
    compare,
    error_samples,
    refusal,
    samples,
)
from tests.reference.opinfo.table import COUNTERPARTS

# PyTorch's own remark on how it computes a sample.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
each_counterpart = pytest.mark.parametrize("name", sorted(COUNTERPARTS))


def test_counterparts_are_operations_of_pytorch() -> None:
    assert set(COUNTERPARTS) <= set(OPERATIONS)


# Operations that PyTorch's table does not have, or not in a form that can be compared.
ALONE = {
    **dict.fromkeys(
        ("bernoulli", "normal", "randint", "random_bits", "truncated_normal", "uniform"),
        "random numbers: tests/ops/test_random",
    ),
    "depthwise_conv": "tests/reference/test_layers compares it with Keras",
    "separable_conv": "tests/reference/test_layers compares it with Keras",
    "index": "called by x[...], which is compared",
    "stop_gradient": "detach is not in the table",
}


def test_no_operation_is_left_out() -> None:
    """Each one is called by the counterpart of some operation of PyTorch."""
    names = {inspect.unwrap(getattr(ops, name)).__code__: name for name in ops.__all__}
    called = set()

    def watch(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in names:
            caller = frame.f_back and frame.f_back.f_back  # behind what makes it an operation
            if caller and "opinfo" in caller.f_code.co_filename:
                called.add(names[frame.f_code])

    before = sys.getprofile()
    for name in COUNTERPARTS:
        for sample in samples(name, most=12):
            sys.setprofile(watch)
            try:
                with contextlib.suppress(NotHere):
                    call_ours(name, sample, [])
            finally:
                sys.setprofile(before)
    assert set(names.values()) - called == set(ALONE)


@each_counterpart
def test_two_samples_agree(name: str) -> None:
    first = list(samples(name, most=12))
    for sample in random.Random(name).sample(first, min(2, len(first))):
        compare(name, sample)


def test_all_samples_agree(capsys: pytest.CaptureFixture[str]) -> None:
    found: Counter[str] = Counter()
    left_out: Counter[str] = Counter()
    differences = []
    for name in COUNTERPARTS:
        compared = 0
        for number, sample in enumerate(samples(name)):
            try:
                outcome = compare(name, sample)
            except Exception as error:  # whatever it is, the next operation is looked at too
                differences.append(f"{name}, sample {number}: {type(error).__name__}: {error}")
                continue
            if outcome.reason:
                left_out[outcome.reason] += 1
            else:
                compared += 1
                found["derivatives"] += outcome.gradients
        found["samples"] += compared
        found["operations"] += compared > 0
    with capsys.disabled():
        print(f"\n{dict(found)}, left out: {dict(left_out)}")  # noqa: T201 - the report
    assert differences == []
    assert found["operations"] == len(COUNTERPARTS)
    assert found["samples"] >= LEAST["samples"]
    assert found["derivatives"] >= LEAST["derivatives"]


@each_counterpart
def test_what_pytorch_refuses_is_refused_or_has_a_reason(name: str) -> None:
    for error in error_samples(name):
        try:
            said = refusal(name, error.sample_input)
        except NotHere:
            continue
        assert said or reason_for(name, error.error_regex), error.error_regex


def test_no_reason_is_stale(capsys: pytest.CaptureFixture[str]) -> None:
    used: set[Accepted | None] = set()
    told: Counter[str] = Counter()
    for name in COUNTERPARTS:
        for error in error_samples(name):
            try:
                said = refusal(name, error.sample_input)
            except NotHere:
                told["left out"] += 1
                continue
            if not said:
                used.add(reason_for(name, error.error_regex))
            told["refused" if said else "computed for a reason"] += 1
    with capsys.disabled():
        print(f"\nwhat PyTorch refuses: {dict(told)}")  # noqa: T201 - the report
    assert [accepted for accepted in ACCEPTED if accepted not in used] == []
    assert told["refused"] >= LEAST["refused"]
