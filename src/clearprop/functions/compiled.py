"""A Python function of Tensors as one Program per shape, run by an executor."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from clearprop import tree
from clearprop.dtypes import DType
from clearprop.errors import NotBuiltError
from clearprop.executors.choose import Run, choose_executor
from clearprop.functions.trace import as_tensors, call_on, needs_function, placeholders
from clearprop.garbage import collection_put_off
from clearprop.ir.place import here, telling_line
from clearprop.ir.program import Program
from clearprop.ir.types import Shape, TensorType
from clearprop.ir.value import Array
from clearprop.passes.simplify import simplify
from clearprop.tensor.parameter import Parameter, Trace, changes, current_trace
from clearprop.tensor.tensor import Tensor, has_numbers, tensor
from clearprop.text import count_text

MOST_SIGNATURES = 32
_Signature = tuple[tree.Structure, tuple[TensorType, ...]]
_Key = tuple[Shape | DType, ...]  # shape and element type of each argument in turn
_CallWith = Callable[[list[Array], list[Array]], list[Array]]


class _Numbers:
    """The arrays of some parameters, asked for again only when some parameter has changed."""

    def __init__(self, parameters: tuple[Parameter, ...]) -> None:
        self._parameters, self._changes = parameters, -1
        self._arrays: list[Array] = []

    def present(self) -> list[Array]:
        """The present numbers: the same list as long as no parameter has changed."""
        count = changes()
        if count != self._changes:
            self._arrays = [parameter.numpy() for parameter in self._parameters]
            self._changes = count
        return self._arrays


class _Entry(NamedTuple):
    program: Program
    run: Run
    call_with: _CallWith  # the same for arguments, and for the numbers of parameters
    numbers: _Numbers  # of the parameters that it reads
    types: tuple[TensorType, ...]  # of what comes out
    structure: tree.Structure  # of what the function returns
    updated: tuple[Parameter, ...]  # whose new values come after what it returns


class CompiledFunction:
    """A function of Tensors that runs without Python in between.

    Each new combination of argument shapes and dtypes is traced once.  Parameters that the
    function uses are read anew at every call; other Tensors from outside are constants.
    Variables that it updates (running averages of a layer) have their new values after the call.
    What comes out are numbers without a history: derive first, then compile,
    ``cp.compile(cp.grad(f))``.  Inside of another function that is being traced it is the plain
    function.

    Attributes:
        function: what was compiled.

    Example:
        >>> import clearprop as cp
        >>> print(cp.compile(lambda x: x * x).program(3.0))
        program(v0: f32[]):
          v1: f32[] = multiply v0 v0
          return v1

    Example:
        >>> import clearprop as cp
        >>> square = cp.functions.CompiledFunction(lambda x: x * x)
        >>> print(square.program(cp.tensor([1.0, 2.0])))
        program(v0: f32[2]):
          v1: f32[2] = multiply v0 v0
          return v1
    """

    def __init__(self, function: Callable[..., Any], executor: str | None = None) -> None:
        self.function = function
        self._executor = choose_executor(executor)
        self._entries: OrderedDict[_Signature, _Entry] = OrderedDict()
        # The same for arguments that are arrays: found without looking at each Tensor.
        self._quick: dict[_Key, _Entry] = {}
        self._has_warned = False

    def __call__(self, *args: Any) -> Any:
        """What ``function`` returns for these arguments, computed."""
        arrays: list[Array] = []
        key: list[Shape | DType] = []
        for argument in args:
            if type(argument) is Tensor and argument.mask is None:
                argument = argument.array
            if type(argument) is not np.ndarray:  # to be made one, or a Tensor to be computed
                return self._call(args)
            arrays.append(argument)
            key += argument.shape, argument.dtype
        entry = self._quick.get(tuple(key))
        if entry is None or current_trace() is not None:
            result = self._call(args)
            self._note_quick(tuple(key), args, arrays)
            return result
        results = entry.call_with(arrays, entry.numbers.present())
        if entry.structure.kind is None:  # a single Tensor
            return Tensor.computed(entry.types[0], results[0])
        tensors = map(Tensor.computed, entry.types, results)
        return tree.unflatten(entry.structure, list(tensors))

    def _note_quick(self, key: _Key, args: tuple[Any, ...], arrays: list[Array]) -> None:
        """Remember what arrays of these types lead to, if that is nothing but a call."""
        leaves, structure = tree.flatten(args)
        entry = self._entries.get((structure, tuple(map(TensorType.of, arrays))))
        if entry is not None and not entry.updated and len(leaves) == len(arrays):
            self._quick[key] = entry

    def _call(self, args: tuple[Any, ...]) -> Any:
        given = as_tensors(args)
        leaves, structure = tree.flatten(given)
        if current_trace() is not None or not all(map(has_numbers, leaves)):
            return self.function(*given)
        entry = self._entry(structure, leaves)
        arrays = [leaf.numpy() for leaf in leaves]
        results = entry.run([*arrays, *entry.numbers.present()])
        count = entry.structure.leaf_count
        for parameter, array in zip(entry.updated, results[count:], strict=True):
            parameter.assign(array)
        return tree.unflatten(entry.structure, [tensor(array) for array in results[:count]])

    def program(self, *args: Any) -> Program:
        """The Program for arguments of these shapes and dtypes."""
        leaves, structure = tree.flatten(as_tensors(args))
        return self._entry(structure, leaves).program

    def explain(self, *args: Any, llvm: bool = False) -> None:
        """Print the stages on the way to what runs.

        They are the Program, the groups of equations that are computed together and why, the
        schedule of kernels, and the memory plan with its bytes.

        Args:
            *args: arguments whose shapes and dtypes count; none for those of the last call.
            llvm: whether the code in LLVM IR is printed too.

        Raises:
            NotBuiltError: there was no call yet, and there are no arguments.

        Example:
            >>> import clearprop as cp
            >>> cp.compile(lambda x: x * 2, executor="reference").explain(1.0)
            Program: 1 equation, run one by one by their definitions
            program(v0: f32[]):
              v1: f32[] = multiply v0 2.0
              return v1
        """
        if args:
            leaves, structure = tree.flatten(as_tensors(args))
            entry = self._entry(structure, leaves)
        elif self._entries:
            entry = next(reversed(self._entries.values()))
        else:
            raise NotBuiltError(
                "explain: nothing has been compiled yet",
                found="a function that was not called",
                needed="a call before, or arguments: explain(x)",
                at=str(here()),
            )
        print(_explanation(entry, llvm=llvm))  # noqa: T201 -- printing is what it is for

    def _entry(self, structure: tree.Structure, leaves: list[Tensor]) -> _Entry:
        signature = structure, tuple(leaf.type for leaf in leaves)
        if signature not in self._entries:
            with collection_put_off():
                self._entries[signature] = self._trace(*signature)
            if len(self._entries) > MOST_SIGNATURES:
                if not self._has_warned:
                    warnings.warn(_changing_text(list(self._entries)), stacklevel=4)
                    self._has_warned = True
                self._entries.popitem(last=False)
                self._quick.clear()
        self._entries.move_to_end(signature)
        return self._entries[signature]

    def _trace(self, structure: tree.Structure, types: tuple[TensorType, ...]) -> _Entry:
        inputs = placeholders(types)
        trace = Trace(binds_all=True)
        traced = call_on(self.function, structure, inputs, trace)
        outputs = [*traced.outputs, *traced.updates.values()]
        program = Program.under(outputs, [*inputs, *trace.placeholders.values()])
        with telling_line:
            program.check_closed()
        program = simplify(program)
        numbers, updated = _Numbers(tuple(trace.placeholders)), tuple(traced.updates)
        lasting = 0 if updated else len(trace.placeholders)
        run = self._executor.compile_program(program, lasting=lasting)
        types = tuple(value.type for value in program.outputs)
        return _Entry(program, run, _call_with(run), numbers, types, traced.structure, updated)


def _call_with(run: Run) -> _CallWith:
    """A function of arguments and of parameters' numbers; an executor may have a quicker one."""
    quick: _CallWith | None = getattr(run, "call_with", None)
    return quick or (lambda arrays, numbers: run([*arrays, *numbers]))


def _explanation(entry: _Entry, *, llvm: bool) -> str:
    """What the executor tells about its way to what runs."""
    explain = getattr(entry.run, "explain", None)
    if explain is not None:
        return str(explain(llvm=llvm))
    count = count_text(len(entry.program.equations), "equation")
    return f"Program: {count}, run one by one by their definitions\n{entry.program}"


def _changing_text(signatures: list[_Signature]) -> str:
    structures = {structure for structure, _ in signatures}
    if len(structures) > 1:
        changing = ["the nesting of the arguments"]
    else:
        columns = zip(*(types for _, types in signatures), strict=True)
        changing = [what for n, column in enumerate(columns) for what in _changes(n, column)]
    return (
        f"more than {MOST_SIGNATURES} combinations of shapes were compiled; what changes is "
        f"{' and '.join(changing)}: pad it to a few sizes"
    )


def _changes(number: int, types: tuple[TensorType, ...]) -> Iterator[str]:
    """What differs among the types that one argument had."""
    if len({type_.dtype for type_ in types}) > 1:
        yield f"the element type of argument {number}"
    if len({len(type_.shape) for type_ in types}) > 1:
        yield f"the number of axes of argument {number}"
        return
    for axis, lengths in enumerate(zip(*(type_.shape for type_ in types), strict=True)):
        different = list(dict.fromkeys(lengths))
        if len(different) > 1:
            some = ", ".join(map(str, different[:3]))
            yield f"axis {axis} of argument {number} ({some}, ...)"


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
    needs_function("compile", function)
    return CompiledFunction(function, executor)
