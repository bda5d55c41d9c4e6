"""Parameters: Tensors that learning changes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any
from weakref import ref

from clearprop.dtypes import as_dtype, is_float
from clearprop.errors import DTypeError, ShapeError, TraceError
from clearprop.ir.place import here, telling_line
from clearprop.ir.types import TensorType
from clearprop.ir.value import Array, Value
from clearprop.ops.lift import as_dtype as in_dtype
from clearprop.ops.lift import leaf_array, lift
from clearprop.settings import settings
from clearprop.tensor.tensor import Tensor


def _refusing(sign: str) -> Callable[[Parameter, Any], Any]:
    """An operator in place, which would make a plain Tensor of the name and leave the numbers."""

    def refuse(self: Parameter, other: Any) -> Any:
        name = self.name if self.name.isidentifier() else "w"
        raise TraceError(
            f"{name} {sign}= ...: a parameter changes by assign, not in place",
            found=f"{sign}= on a parameter of type {self.type}",
            needed="an assignment of new numbers, or an equation with a name of its own",
            try_=f"{name}.assign({name} {sign} ...) to change it, "
            f"y = {name} {sign} ... to compute with it",
            at=str(here()),
        )

    return refuse


class Parameter(Tensor):
    """A Tensor whose numbers can be replaced; Tensors computed before keep the old ones.

    Attributes:
        trainable: whether training may change it.

    Example:
        >>> import clearprop as cp
        >>> w = cp.parameter([1.0, 2.0])
        >>> before = w * 10
        >>> w.assign(w + 1)
        >>> before.numpy(), w.numpy()
        (array([10., 20.], dtype=float32), array([2., 3.], dtype=float32))
    """

    __slots__ = ("_leaf", "trainable")

    def __init__(
        self,
        type_: TensorType,
        *,
        array: Array | None = None,
        name: str = "",
        trainable: bool = True,
    ) -> None:
        super().__init__(type_, array=array, name=name)
        self.tracked = True
        self.trainable = trainable
        self._leaf: Tensor | None = None

    def present_leaf(self) -> Tensor:
        """The node that holds the present numbers in equations."""
        if self._leaf is None:
            self._leaf = Tensor.leaf(self.numpy(), self.name)
            self._leaf.tracked = True
            self._leaf.owner = ref(self)
        return self._leaf

    def as_input(self) -> Value:
        """What equations hold of it: its binding in the present trace, or its present leaf."""
        trace = _trace.get()
        return self.present_leaf() if trace is None else trace.read(self)

    def assign(self, value: Any) -> None:
        """Replace its numbers by those of ``value``, computed now.

        Raises:
            ShapeError: the shape differs.
        """
        with telling_line:
            array = leaf_array(value, self.dtype)
        if array.shape != self.shape:
            raise ShapeError(
                f'assign: the new numbers of parameter "{self.name}" have another shape',
                found=f"{array.shape}",
                needed=f"{self.shape}",
                at=str(here()),
            )
        self.hold(array)

    def hold(self, array: Array) -> None:
        """Take ``array``, of this shape and dtype, as the new numbers; nobody may write to it."""
        array.flags.writeable = False
        self.array = array
        self._leaf = None
        note_change()

    def __pos__(self) -> Any:
        return self.as_input()

    __iadd__ = _refusing("+")
    __isub__ = _refusing("-")
    __imul__ = _refusing("*")
    __itruediv__ = _refusing("/")
    __ifloordiv__ = _refusing("//")
    __imod__ = _refusing("%")
    __imatmul__ = _refusing("@")
    __ipow__ = _refusing("**")

    def numpy(self) -> Array:
        """Its present numbers: a NumPy array that nobody can write to."""
        assert self.array is not None
        return self.array


_changes = [0]


def changes() -> int:
    """How often any parameter of the process got other numbers: equal means that none has."""
    return _changes[0]


def note_change() -> None:
    """A parameter has other numbers now."""
    _changes[0] += 1


def parameter(data: Any, dtype: Any = None, name: str = "", trainable: bool = True) -> Parameter:
    """A Tensor that learning may change: ``backward()`` computes gradients for it.

    Args:
        data: first numbers; integers become ``cp.settings.dtype``.
        dtype: a floating-point element type; by default as ``cp.tensor`` chooses.
        name: what pictures and errors call it.
        trainable: whether ``fit`` may change it.

    Shapes:
        The shape of ``data``.

    Raises:
        DTypeError: the element type has no derivatives.
    """
    with telling_line:
        array = leaf_array(data, None if dtype is None else as_dtype(dtype))
        if dtype is None and not is_float(array.dtype):
            array = leaf_array(data, settings.dtype)
        if not is_float(array.dtype):
            raise DTypeError(
                "parameter: what is learned must be floating-point numbers",
                found=array.dtype.name,
                needed="float32 or float64",
                try_="use cp.tensor(...) for whole numbers",
            )
    type_ = TensorType.of(array)
    return Parameter(type_, array=array, name=name, trainable=trainable)


class Trace:
    """What parameters stand for while a function is being traced.

    Attributes:
        bindings: for each parameter the value that equations read in its place.
        placeholders: those made for parameters that had no binding when they were first read.
        updates: parameters that the traced code gave new values, in the order of the updates.
        binds_all: whether a parameter without a binding gets a placeholder when it is first read.
    """

    def __init__(
        self, bindings: Mapping[Any, Value] | None = None, *, binds_all: bool = False
    ) -> None:
        self.bindings: dict[Parameter, Value] = dict(bindings or {})
        self.placeholders: dict[Parameter, Tensor] = {}
        self.updates: dict[Parameter, Value] = {}
        self.binds_all = binds_all
        self._outer: Trace | None = None

    @property
    def keeps_element_types(self) -> bool:
        """Whether models leave the element type of their inputs alone."""
        return self._outer is not None and self._outer.keeps_element_types

    def read(self, parameter: Parameter) -> Value:
        """What stands for ``parameter`` here."""
        if parameter in self.bindings:
            return self.bindings[parameter]
        if self.binds_all:
            type_ = self.placeholder_type(parameter.type)
            placeholder = Tensor(type_, name=parameter.name)
            self.bindings[parameter] = self.placeholders[parameter] = placeholder
            return placeholder
        return parameter.present_leaf() if self._outer is None else self._outer.read(parameter)

    def placeholder_type(self, type_: TensorType) -> TensorType:
        """The type of the placeholder that stands for a parameter of ``type_``."""
        return type_

    def update(self, parameter: Parameter, value: Value) -> None:
        """From here on ``parameter`` is ``value``."""
        self.bindings[parameter] = value
        self.updates[parameter] = value

    @contextmanager
    def active(self) -> Generator[Trace]:
        """Parameters are read through this trace inside."""
        self._outer = _trace.get()
        token = _trace.set(self)
        try:
            yield self
        finally:
            _trace.reset(token)
            self._outer = None


_trace: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current_trace() -> Trace | None:
    """The innermost trace at work, if any."""
    return _trace.get()


def change(parameter: Parameter, value: Any) -> None:
    """Give ``parameter`` a new value: at once, or as part of what is being traced.

    Raises:
        ShapeError: the shape differs.
    """
    trace = current_trace()
    if trace is None:
        parameter.assign(value)
        return
    (new,) = lift(value)
    if new.shape != parameter.shape:
        raise ShapeError(
            f'Updating the variable "{parameter.name}": the new value has another shape',
            found=f"{new.type}",
            needed=f"{parameter.type}",
            at=str(here()),
        )
    trace.update(parameter, in_dtype(new, trace.read(parameter).dtype))
