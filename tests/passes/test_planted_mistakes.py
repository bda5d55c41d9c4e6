"""Mistakes that are planted into passes, rules and storage do not get past the random Programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest

from clearprop.ir import meaning, serialize
from clearprop.ir.primitive import REGISTRY, Gradients
from clearprop.ir.program import Program
from clearprop.ir.value import Value
from clearprop.passes import prune, simplify
from clearprop.primitives import cumulative_sum, dynamic_slice, multiply, subtract
from tests.passes.test_random_programs import MANY, SEEDS
from tests.support.program_checks import (
    Check,
    comes_back_from_json,
    has_the_gradients_that_differences_say,
    is_the_same_when_simplified,
    runs_the_same_again,
)
from tests.support.random_programs import Options, RandomProgram, random_program


def is_caught(
    keeps: Check,
    options: Options = Options(),  # noqa: B008
    seeds: Iterable[int] = SEEDS,
) -> bool:
    """Whether one of the random Programs does not keep the promise any more."""
    return any(not _is_kept(keeps, random_program(seed, options)) for seed in seeds)


def _is_kept(keeps: Check, random: RandomProgram) -> bool:
    try:
        keeps(random)
    except Exception:  # a mistake may show in any way
        return False
    return True


def test_equations_that_differ_in_params_are_not_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simplify, "_frozen", lambda equation: ())
    assert is_caught(is_the_same_when_simplified)


def test_constants_that_are_equal_are_not_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def by_dtype(value: Value, given: object) -> tuple[object, ...]:
        return (value.dtype,) if value.array is not None and not value.shape else (value,)

    monkeypatch.setattr(simplify, "_identity", by_dtype)
    assert is_caught(is_the_same_when_simplified, seeds=[*SEEDS, *MANY])  # it needs some luck


def test_a_carry_that_only_another_carry_reads_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = prune._needed

    def forgets(body: Program, carry_count: int, read: list[bool]) -> list[bool]:
        needed = right(body, carry_count, read)
        return [is_so and (i >= carry_count or read[i]) for i, is_so in enumerate(needed)]

    monkeypatch.setattr(prune, "_needed", forgets)
    assert is_caught(is_the_same_when_simplified)


def test_a_param_must_not_be_lost_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    right = serialize._encoded_param

    def forgets(param: Any, *rest: Any) -> Any:
        return False if param is True else right(param, *rest)

    monkeypatch.setattr(serialize, "_encoded_param", forgets)
    assert is_caught(comes_back_from_json)


def test_what_others_read_must_not_be_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meaning, "_is_alone", lambda slots, slot: True)
    assert is_caught(runs_the_same_again)


def _wrong_tanh(d_output: Value, output: Value, x: Value) -> Gradients:
    return (subtract(d_output, multiply(d_output, output)),)


def _wrong_sum(d_output: Value, output: Value, x: Value, *, axis: int, reverse: bool) -> Gradients:
    return (cumulative_sum(d_output, axis=axis, reverse=reverse),)


def _wrong_update(
    d_output: Value, output: Value, x: Value, update: Value, *starts: Value
) -> Gradients:
    d_update = dynamic_slice(d_output, *starts, sizes=update.shape)
    return d_output, d_update, *(None for _ in starts)


def _wrong_scan(
    differentiate: Callable[..., Any], wanted: Sequence[bool], *rest: Any, **params: Any
) -> Gradients:
    right = _RIGHT_SCAN(differentiate, wanted, *rest, **params)
    captured = params["carry_count"] + params["step_count"]
    return (*right[:captured], *(None for _ in right[captured:]))


_RIGHT_SCAN: Any = REGISTRY["scan"].gradient
_WRONG = {
    "tanh": _wrong_tanh,
    "cumulative_sum": _wrong_sum,
    "dynamic_update": _wrong_update,
    "scan": _wrong_scan,
}


@pytest.mark.parametrize("word", _WRONG)
def test_a_gradient_rule_must_be_right(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    smooth = Options(smooth=True)
    monkeypatch.setitem(REGISTRY[word].__dict__, "gradient", _WRONG[word])
    assert is_caught(has_the_gradients_that_differences_say, smooth)


def test_without_a_mistake_nothing_is_caught() -> None:
    for keeps in (is_the_same_when_simplified, comes_back_from_json, runs_the_same_again):
        assert not is_caught(keeps)
