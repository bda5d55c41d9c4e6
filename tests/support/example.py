"""What an example of a primitive is; the table of them all is in ``examples``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from clearprop.dtypes import BOOL, F32, F64, I32, DType
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value


@dataclass(frozen=True)
class Input:
    """One array of an example: random numbers between two bounds, or given ones."""

    shape: tuple[int, ...]
    dtype: DType = F64
    low: float = -2.0
    high: float = 2.0
    given: tuple[float, ...] | None = None

    @property
    def type(self) -> TensorType:
        return TensorType(self.shape, self.dtype)

    def array(self, rng: np.random.Generator) -> Array:
        if self.given is not None:
            numbers = np.array(self.given).reshape(self.shape)
        elif self.dtype.kind == "f":
            numbers = rng.uniform(self.low, self.high, self.shape)
        elif self.dtype.kind == "b":
            numbers = rng.integers(0, 2, self.shape)
        else:
            least = max(int(self.low), np.iinfo(self.dtype).min)
            numbers = rng.integers(least, int(self.high), self.shape, endpoint=True)
        array = np.asarray(numbers.astype(self.dtype))
        array.flags.writeable = False  # a meaning that writes into its inputs fails at once
        return array


@dataclass(frozen=True)
class Example:
    """A primitive applied to some inputs."""

    name: str
    inputs: tuple[Input, ...]
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        types = ",".join(str(each.type).replace(" ", "") for each in self.inputs)
        params = ",".join(
            f"{name}={getattr(value, 'name', value)}"
            for name, value in self.params.items()
            if not _holds_programs(value)
        )
        return f"{self.name}({types}{';' if params else ''}{params})".replace(" ", "")

    @property
    def types(self) -> tuple[TensorType, ...]:
        return tuple(each.type for each in self.inputs)

    @property
    def has_floats(self) -> bool:
        return any(each.dtype.kind == "f" for each in self.inputs)

    def arrays(self, seed: int = 0) -> list[Array]:
        rng = np.random.default_rng(seed)
        return [each.array(rng) for each in self.inputs]

    def in_float32(self) -> Example:
        """The same with float32 in place of float64."""
        inputs = (replace(each, dtype=F32) if each.dtype == F64 else each for each in self.inputs)
        return replace(
            self,
            inputs=tuple(inputs),
            params={name: _narrow(param) for name, param in self.params.items()},
        )


def floats(*shape: int, low: float = -2.0, high: float = 2.0) -> Input:
    return Input(shape, F64, low, high)


def integers(*shape: int, low: int = -9, high: int = 9, dtype: DType = I32) -> Input:
    return Input(shape, dtype, low, high)


def booleans(*shape: int) -> Input:
    return Input(shape, BOOL)


def given(*numbers: float, dtype: DType = F64) -> Input:
    return Input((len(numbers),), dtype, given=numbers)


def _holds_programs(param: Any) -> bool:
    parts = param if isinstance(param, tuple) else (param,)
    return any(isinstance(part, Program) for part in parts)


def _narrow(param: Any) -> Any:
    """A param with its Programs in float32."""
    if isinstance(param, tuple):
        return tuple(map(_narrow, param))
    return _narrow_program(param) if isinstance(param, Program) else param


def _narrow_program(program: Program) -> Program:
    new = {value: Value(_narrow_type(value.type)) for value in program.inputs}
    for value in program.constants:
        assert value.array is not None
        new[value] = Value.leaf(value.array.astype(_narrow_type(value.type).dtype))
    for equation in program.equations:
        inputs = [new[value] for value in equation.inputs]
        params = {name: _narrow(param) for name, param in equation.params.items()}
        written = equation.primitive.apply_all(*inputs, **params)
        for old, result in zip(program.results[equation], written, strict=True):
            if old is not None:
                new[old] = result
    inputs = [new[value] for value in program.inputs]
    return Program.under([new[value] for value in program.outputs], inputs)


def _narrow_type(type_: TensorType) -> TensorType:
    return replace(type_, dtype=F32) if type_.dtype == F64 else type_
