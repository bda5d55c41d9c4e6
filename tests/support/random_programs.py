"""Random Programs over the whole vocabulary, typed, valid, and with arrays to run them on.

    program, arrays = random_program(seed)
    outputs = run(program, arrays)

Equal seeds (and options) give equal Programs.  They have up to 20 equations, those inside of
scans and branches (up to two deep) included; loops that append to what they carry and read it;
inputs and constants with NaN, infinities, -0.0 and denormals, of all element types, with axes of
length 0 and 1, some of them repeated numbers or views in another order of memory; equations that
stand there twice, or that nobody reads; outputs that are inputs, constants, or the same value
again.  Running one never fails: indices are inside of what they index.  ``Options`` says what
else can be asked for:

    random_program(seed, Options(steady=True))    to compare executors, up to rounding
    random_program(seed, Options(smooth=True))    to compare gradients with differences

A Program with which something goes wrong is made small by ``tests.support.shrinking``.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from clearprop.ir.program import Program
from clearprop.ir.value import Array
from tests.support import random_control, random_windows, random_words
from tests.support.random_builder import Budget, Builder, Options
from tests.support.random_classes import SMOOTH
from tests.support.random_control import all_programs_in

__all__ = ["WORDS", "Options", "RandomProgram", "random_program", "words_in"]


class RandomProgram(NamedTuple):
    """A Program and an array for each of its inputs."""

    program: Program
    arrays: list[Array]

    def __str__(self) -> str:
        lines = [str(self.program)]
        for value, array in zip(self.program.inputs, self.arrays, strict=True):
            lines.append(f"  input {value.name} {value.type}: {array.tolist()}")
        lines += [f"  constant {v.type}: {v.array}" for v in self.program.constants if v.shape]
        return "\n".join(lines)


def random_program(seed: int, options: Options = Options()) -> RandomProgram:  # noqa: B008
    """The random Program with this number.

    Args:
        seed: which one.
        options: what it shall be like.
    """
    rng = np.random.default_rng(seed)
    count = 1 + int(rng.integers(options.equations))
    builder = Builder(rng, options, Budget(count))
    for _ in range(1 + builder.below(3)):
        builder.operand("biuf")
    while not builder.equations or (builder.budget.left > 0 and builder.chance(0.98)):
        _write_one(builder)
    results = [value for value in builder.pool if value.equation is not None]
    read = {value for equation in builder.equations for value in equation.inputs}
    share = builder.one_of([0.2, 0.9])
    outputs = [value for value in results if value not in read and builder.chance(share)]
    outputs += [builder.recent(results) for _ in range(builder.below(3) + (not outputs))]
    outputs += [builder.recent(builder.pool)] if builder.chance(0.4) else []
    program = builder.finish([outputs[i] for i in rng.permutation(len(outputs))])
    return RandomProgram(program, [builder.numbers[value] for value in program.inputs])


def _write_some(builder: Builder, most: int) -> None:
    for _ in range(1 + builder.below(most)):
        if builder.budget.left > builder.depth:  # one each for the words around it
            _write_one(builder)


def _write_one(builder: Builder) -> None:
    options = builder.options
    if builder.equations and builder.chance(0.08):
        builder.step("", random_control.write_again)
        return
    if builder.equations and builder.chance(0.12):  # a sibling: it differs in little
        earlier = builder.one_of(builder.equations)
        word = earlier.primitive.name
        builder.step(word, WORDS[word], earlier.inputs)
        return
    word = builder.one_of(_chosen_words(options))
    builder.step(word, WORDS[word])


def _chosen_words(options: Options) -> list[str]:
    words = [
        word
        for word in WORDS
        if word not in options.without and (not options.smooth or word in SMOOTH)
    ]
    return words + [word for word in ("scan", "branch") if word in words] * 4


WORDS = {
    **random_words.WORDS,
    **random_windows.WORDS,
    "scan": random_control.scan_writer(_write_some),
    "branch": random_control.branch_writer(_write_some),
}


def words_in(program: Program) -> list[str]:
    """The words of all its equations, those of inner Programs included."""
    programs = [program, *(p for e in program.equations for p in all_programs_in(e.params))]
    return [equation.primitive.name for each in programs for equation in each.equations]
