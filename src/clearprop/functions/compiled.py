"""A Python function of Tensors as one Program per shape, run by an executor."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from clearprop import tree
from clearprop.executors.choose import Run, choose_executor
from clearprop.functions.trace import as_tensors, call_on, placeholders
from clearprop.ir.program import Program
from clearprop.ir.types import TensorType
from clearprop.passes.simplify import simplify
from clearprop.tensor.parameter import Parameter, Trace
from clearprop.tensor.tensor import Tensor

MOST_SIGNATURES = 32
_Signature = tuple[tree.Structure, tuple[TensorType, ...]]


class _Entry(NamedTuple):
    program: Program
    run: Run
    parameters: tuple[Parameter, ...]
    structure: tree.Structure  # of what the function returns


class CompiledFunction:
    """A function of Tensors that runs without Python in between.

    Each new combination of argument shapes and dtypes is traced once.  Parameters that the
    function uses are read anew at every call; other Tensors from outside are constants.

    Attributes:
        function: what was compiled.
    """

    def __init__(self, function: Callable[..., Any], executor: str | None = None) -> None:
        self.function = function
        self._executor = choose_executor(executor)
        self._entries: OrderedDict[_Signature, _Entry] = OrderedDict()

    def __call__(self, *args: Any) -> Any:
        """What ``function`` returns for these arguments, computed."""
        leaves, structure = tree.flatten(as_tensors(args))
        entry = self._entry(structure, leaves)
        arrays = [leaf.numpy() for leaf in leaves]
        results = entry.run([*arrays, *(parameter.numpy() for parameter in entry.parameters)])
        return tree.unflatten(entry.structure, [Tensor.leaf(array) for array in results])

    def program(self, *args: Any) -> Program:
        """The Program for arguments of these shapes and dtypes."""
        leaves, structure = tree.flatten(as_tensors(args))
        return self._entry(structure, leaves).program

    def _entry(self, structure: tree.Structure, leaves: list[Tensor]) -> _Entry:
        signature = structure, tuple(leaf.type for leaf in leaves)
        if signature not in self._entries:
            self._entries[signature] = self._trace(*signature)
            if len(self._entries) > MOST_SIGNATURES:
                self._entries.popitem(last=False)
                warnings.warn(self._changing_text(signature), stacklevel=4)
        self._entries.move_to_end(signature)
        return self._entries[signature]

    def _trace(self, structure: tree.Structure, types: tuple[TensorType, ...]) -> _Entry:
        inputs = placeholders(types)
        with Trace(binds_all=True).active() as trace:
            outputs, output_structure = call_on(self.function, structure, inputs)
        bound = trace.bindings
        program = simplify(Program.under(outputs, [*inputs, *bound.values()]))
        program.check_closed()
        run = self._executor.compile_program(program)
        return _Entry(program, run, tuple(bound), output_structure)

    def _changing_text(self, signature: _Signature) -> str:
        seen = [types for _, types in self._entries]
        changing = [
            f"argument {number} ({', '.join(sorted({str(types[number]) for types in seen})[:4])}, ...)"
            for number in range(len(signature[1]))
            if len({types[number] for types in seen if len(types) > number}) > 1
        ]
        return (
            f"more than {MOST_SIGNATURES} combinations of shapes were compiled; what changes is "
            f"{' and '.join(changing)}: pad it to a few sizes"
        )


def compile(function: Callable[..., Any], executor: str | None = None) -> CompiledFunction:  # noqa: A001
    """The same function, or model, as one Program per argument shape, run by an executor.

    Args:
        function: takes and returns Tensors (or nests of them); a model is such a function too.
        executor: None for the best that can run here, or a name.

    Shapes:
        Those of the function.

    Example:
        >>> import clearprop as cp
        >>> double = cp.compile(lambda x: x * 2)
        >>> double([1.0, 2.0]).numpy()
        array([2., 4.], dtype=float32)
    """
    return CompiledFunction(function, executor)
