"""The Tensor: one array of the computational graph, whose numbers are there when asked for."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, NoReturn, cast

import numpy as np

from clearprop import ops, tree
from clearprop.doors import door
from clearprop.dtypes import as_dtype, is_float, short_name
from clearprop.errors import ArgumentError, GradientError, TraceError
from clearprop.ir.meaning import run_equation
from clearprop.ir.place import here, telling_line
from clearprop.ir.program import equations_under
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Equation, Value, set_leaf_class
from clearprop.ops.lift import leaf_array
from clearprop.passes.gradient import differentiate
from clearprop.primitives.constants import constant_like
from clearprop.tensor.operators import Operators

DEPTH_LIMIT = 10_000

_UFUNCS: dict[str, Callable[..., Value]] = {
    "arcsin": ops.arcsin, "arccos": ops.arccos, "arctan": ops.arctan, "arctan2": ops.arctan2,
    "arcsinh": ops.arcsinh, "arccosh": ops.arccosh, "arctanh": ops.arctanh,
    "float_power": ops.power, "invert": ops.bitwise_not, "rint": ops.round,
    "true_divide": ops.divide, "conjugate": lambda x: ops.lift.lift(x)[0],
    "positive": lambda x: ops.lift.lift(x)[0], "fabs": ops.absolute,
}  # fmt: skip

_SAME_NAME = (
    "all", "any", "argmax", "argmin", "clip", "concatenate", "dot", "einsum", "expand_dims",
    "max", "mean", "min", "outer", "prod", "reshape", "squeeze", "stack", "std", "sum",
    "tensordot", "transpose", "var", "where",
)  # fmt: skip
_FUNCTIONS: dict[Any, str] = {getattr(np, name): name for name in _SAME_NAME}


class Tensor(Operators, Value):
    """A node of the computational graph: a leaf, a placeholder, or the result of an operation.

    Shape and dtype are known at once; numbers are computed when first asked for (``numpy()``,
    ``print``, ``float()``) and kept.

    Attributes:
        grad: its derivative after ``backward()``, a Tensor of the same shape; None before.
        tracked: whether a parameter or a placeholder reaches it; only then does it remember
            where it comes from.
        depth: how many operations lie between it and the farthest leaf.
        mask: which steps of a batch of sequences count, bool (batch, steps); None where all do.
            Layers pass it on; operations do not.
        owner: where this is the leaf of a parameter's numbers: a weak reference to that.

    Example:
        >>> import clearprop as cp
        >>> (cp.tensor([1.0, 2.0]) * 3).numpy()
        array([3., 6.], dtype=float32)
    """

    __slots__ = ("depth", "grad", "mask", "owner", "tracked")

    def __init__(
        self,
        type_: TensorType,
        *,
        array: Array | None = None,
        equation: Equation | None = None,
        index: int = 0,
        name: str = "",
    ) -> None:
        super().__init__(type_, array=array, equation=equation, index=index, name=name)
        self.grad: Tensor | None = None
        self.mask: Tensor | None = None
        self.tracked = array is None
        self.depth = 0
        self.owner: Callable[[], Tensor | None] | None = None

    @classmethod
    def leaf(cls, array: Array, name: str = "") -> Tensor:
        """A Tensor that holds ``array`` (which nobody may change any more)."""
        return Tensor(TensorType.of(array), array=array, name=name)

    @classmethod
    def computed(cls, type_: TensorType, array: Array) -> Tensor:
        """The same where its type is known: a call of a compiled function makes one each time."""
        array.setflags(write=False)
        new = cls.__new__(cls)
        new.type, new.array, new.equation, new.index, new.name = type_, array, None, 0, ""
        new.grad = new.mask = new.owner = None
        new.tracked, new.depth = False, 0
        return new

    @classmethod
    def results(cls, equation: Equation) -> tuple[Tensor, ...]:
        """The Tensors that ``equation`` gives; their numbers at once if nothing tracks them."""
        depth = 0
        tracked = not equation.inputs
        for value in equation.inputs:
            if isinstance(value, Tensor):
                tracked = tracked or value.tracked
                depth = max(depth, value.depth)
            else:
                tracked = tracked or value.array is None
        if not tracked:
            arrays = run_equation(equation, [cast("Array", v.array) for v in equation.inputs])
            return tuple(cls.leaf(fixed(array)) for array in arrays)
        results = tuple([
            Tensor(type_, equation=equation, index=index)
            for index, type_ in enumerate(equation.types)
        ])
        for result in results:
            result.depth = depth + 1
        if depth == DEPTH_LIMIT:
            place = equation.place
            warnings.warn_explicit(_growing_text(equation), UserWarning, place.file, place.line)
        return results

    # -- numbers ----------------------------------------------------------------

    def numpy(self) -> Array:
        """Its numbers: a NumPy array that nobody can write to.

        Raises:
            TraceError: it depends on a placeholder, so the numbers are not there yet.
        """
        return compute(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        """``np.exp(tensor)`` and ``array * tensor`` are operations on Tensors."""
        operation = _UFUNCS.get(ufunc.__name__) or getattr(ops, ufunc.__name__, None)
        if method != "__call__" or kwargs or operation is None:
            return NotImplemented
        return operation(*inputs)

    def __array_function__(self, function: Any, _: Any, args: Any, kwargs: Any) -> Any:
        """``np.sum(tensor)`` is an operation; what ClearProp lacks gets the numbers as arrays."""
        name = _FUNCTIONS.get(function)
        if name is not None and kwargs.keys() <= {"axis", "keepdims"}:
            return getattr(ops, name)(*args, **kwargs)
        arrays = [tree.map_leaves(_numbers_of, part) for part in (list(args), kwargs)]
        return function(*arrays[0], **arrays[1])

    def __format__(self, spec: str) -> str:
        """As the number itself where it is a single one: ``f"{loss:.3f}"``."""
        return format(self.item() if spec else repr(self), spec)

    def item(self) -> Any:
        """The one number of a Tensor with one element, as a Python number.

        Raises:
            ArgumentError: it has more elements, or none.
        """
        array = self.numpy()
        if array.size != 1:
            raise ArgumentError(
                "Asking for the one number of a Tensor: it is not a single number",
                found=f"{self.type}",
                needed="one element",
                try_="x.mean() or x[0] gives one; tolist() and numpy() give all",
                at=str(here()),
            )
        return array.item()

    def tolist(self) -> Any:
        """Its numbers as nested lists of Python numbers."""
        return self.numpy().tolist()

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __index__(self) -> int:
        return self.numpy().__index__()

    def __bool__(self) -> bool:
        array = self.numpy()
        if array.size != 1:
            raise ArgumentError(
                "Deciding by a Tensor: it is not a single number",
                found=f"{self.type}",
                needed="one element, which is true or false",
                try_="`if cp.all(x == y):` or `if cp.any(x > 0):`",
                at=str(here()),
            )
        return bool(array)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("a Tensor with a single number has no length")
        return self.shape[0]

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise TraceError(
            "Changing elements of a Tensor: a node of the graph keeps its numbers",
            found=f"an assignment to elements of {self.type}",
            needed="a new Tensor",
            try_="cp.where(condition, a, b), cp.scatter_add(x, indices, updates), or "
            "parameter.assign(value) for all of a parameter's numbers",
            at=str(here()),
        )

    def __iter__(self) -> Any:
        return (self[row] for row in range(len(self)))

    def __repr__(self) -> str:
        name = f"{self.name}: " if self.name else ""
        head = f"{name}{short_name(self.dtype)}{list(self.shape)}"
        try:
            array = self.numpy()
        except TraceError:
            return f"Tensor({head}, no numbers yet)"
        numbers = np.array2string(array, separator=", ", threshold=100, prefix="Tensor(")
        return f"Tensor({numbers}, {head})"

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self.type.shape

    @property
    def is_constant(self) -> bool:
        """Whether it is a leaf that nothing learns by: only its numbers count."""
        return self.array is not None and not self.tracked

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.type.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.type.size

    # -- derivatives ------------------------------------------------------------

    def backward(self, d_output: Any = None) -> None:
        """Fill ``grad`` of every floating Tensor that this one depends on.

        Gradients replace earlier ones; they are Tensors of the graph, so they can be
        differentiated again.

        Args:
            d_output: derivative to start from, of this Tensor's shape; needed unless this is a
                single number, whose derivative by itself is 1.

        Raises:
            GradientError: this is not a single floating-point number and no ``d_output`` is
                given, or no parameter reaches it.
        """
        start = self._start_of_backward(d_output)
        equations = equations_under([self], lambda value: False)
        reached: dict[Value, None] = {self: None}
        for equation in equations:
            reached.update(dict.fromkeys(equation.inputs))
        nodes = [value for value in reached if is_float(value.dtype)]
        for value, derivative in zip(nodes, differentiate([self], [start], nodes), strict=True):
            if isinstance(value, Tensor):
                value.grad = cast("Tensor | None", derivative)
                owner = value.owner() if value.owner is not None else None
                if owner is not None and owner.as_input() is value:
                    owner.grad = value.grad

    def _start_of_backward(self, d_output: Any) -> Value:
        if not self.tracked:
            raise GradientError(
                "backward: no parameter reaches this Tensor, so it has no gradients",
                found=f"{self.type} computed from plain numbers",
                needed="at least one cp.parameter(...) in the formula",
                try_="write w = cp.parameter(...) for what should be learned",
                at=str(here()),
            )
        if d_output is None:
            if self.shape or not is_float(self.dtype):
                raise GradientError(
                    "backward: only a single floating-point number can be differentiated",
                    found=f"{self.type}",
                    needed=f"{short_name(self.dtype)}[]" if is_float(self.dtype) else "f32[]",
                    try_="reduce it first, e.g. loss.mean().backward()",
                    at=str(here()),
                )
            return constant_like(1, self)
        (start,) = ops.lift.lift(d_output)
        if start.type != self.type:
            raise GradientError(
                "backward: the derivative to start from does not fit",
                found=f"{start.type}",
                needed=f"{self.type}",
                at=str(here()),
            )
        return start

    def detach(self) -> Tensor:
        """The same numbers without their history: gradients stop here."""
        return Tensor.leaf(self.numpy())

    show = door("clearprop.glass.graph", "show")


def compute(value: Value) -> Array:
    """The numbers of ``value``; all that had to be computed on the way is kept in the nodes."""
    if value.array is not None:
        return value.array
    computed: dict[Equation, tuple[Array, ...]] = {}

    def numbers(node: Value) -> Array:
        if node.array is None:
            if node.equation is None:
                _no_numbers(value, node)
            node.array = computed[node.equation][node.index]
        return node.array

    for equation in equations_under([value], lambda node: node.array is not None):
        arrays = run_equation(equation, [numbers(node) for node in equation.inputs])
        computed[equation] = tuple(map(fixed, arrays))
    return numbers(value)


def has_numbers(value: Value) -> bool:
    """Whether ``value`` can be computed: no placeholder reaches it."""
    equations = equations_under([value], lambda node: node.array is not None)
    read = [value, *(node for equation in equations for node in equation.inputs)]
    return not any(node.is_placeholder for node in read)


def fixed(array: Array) -> Array:
    """The array, which nobody can write into any more."""
    array.flags.writeable = False
    return array


def _numbers_of(leaf: Any) -> Any:
    return leaf.numpy() if isinstance(leaf, Tensor) else leaf


def tensor(data: Any, dtype: Any = None, name: str = "") -> Tensor:
    """A Tensor with these numbers, copied.

    Args:
        data: number, nested lists, NumPy array or anything with ``__array__``.
        dtype: element type; by default an array keeps its own, Python floats become
            ``cp.settings.dtype`` and Python integers int64.
        name: what pictures and errors call it.

    Shapes:
        The shape of ``data``.

    Example:
        >>> import clearprop as cp
        >>> cp.tensor([[1.0, 2.0]]).shape
        (1, 2)
    """
    with telling_line:
        array = leaf_array(data, None if dtype is None else as_dtype(dtype))
    return Tensor.leaf(array, name)


def _no_numbers(wanted: Value, placeholder: Value) -> NoReturn:
    raise TraceError(
        "Asking for numbers while a function is being traced: there are none yet",
        found=f"a value of type {wanted.type} that depends on the placeholder "
        f"{placeholder.name or 'of an argument'}",
        needed="an operation on Tensors",
        try_="leave out .numpy(), float() and print; choose with cp.where(condition, a, b) instead "
        "of `if`; repeat with cp.scan",
        at=str(here()),
    )


def _growing_text(equation: Equation) -> str:
    return (
        f"the graph is more than {DEPTH_LIMIT:,} operations deep and grows at {equation.place}; "
        "update parameters with parameter.assign(value), or cut with .detach()"
    )


set_leaf_class(Tensor)
