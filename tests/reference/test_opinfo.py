"""PyTorch's table of operations with samples: same numbers, same derivatives, same mistakes."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from tests.reference.opinfo.accepted import ACCEPTED, Accepted, reason_for
from tests.reference.opinfo.helpers import NotHere
from tests.reference.opinfo.samples import (
    OPERATIONS,
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


LEAST = {"samples": 3870, "derivatives": 4230}  # so that nothing is left out unnoticed


@each_counterpart
def test_two_samples_agree(name: str) -> None:
    first = list(samples(name, most=12))
    for sample in random.Random(name).sample(first, min(2, len(first))):
        compare(name, sample)


@pytest.mark.slow
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


def test_no_reason_is_stale() -> None:
    used: set[Accepted | None] = set()
    for name in COUNTERPARTS:
        for error in error_samples(name):
            try:
                said = refusal(name, error.sample_input)
            except NotHere:
                continue
            if not said:
                used.add(reason_for(name, error.error_regex))
    assert [accepted for accepted in ACCEPTED if accepted not in used] == []
