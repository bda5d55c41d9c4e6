"""The base of all layers: how they are called; a layer's own idea is in ``build``, ``call``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, ClassVar, Self
from weakref import ref

import numpy as np

from clearprop import initializers, regularizers
from clearprop.dtypes import DType, as_dtype, is_float
from clearprop.ir.place import in_layer
from clearprop.ir.types import Shape
from clearprop.ir.value import Symbolic, Value
from clearprop.layers.holder import Holder
from clearprop.layers.masks import (
    given_masks,
    has_mask,
    mask_arguments,
    masked_outputs,
    masks_of,
    refuse_lost_mask,
)
from clearprop.layers.mistakes import (
    missing_attribute,
    refuse_unknown_arguments,
    without_call,
)
from clearprop.layers.mode import Mode, current_mode, direct_mode
from clearprop.layers.weight import Weight
from clearprop.settings import settings
from clearprop.tensor.parameter import Parameter, change
from clearprop.tensor.tensor import tensor


class Layer(Holder):
    """A function with weights.

    A subclass makes its weights in ``build(input_shape)`` with ``add_weight`` and computes in
    ``call(inputs)``; if ``call`` has an argument ``training``, it is told whether it trains, if it
    has an argument ``mask``, it is given the mask of its input.

    Args:
        name: unique in the model; by default the class's name in snake_case with a number.
        trainable: whether ``fit`` may change the weights.
        dtype: element type of the weights; ``cp.settings.dtype`` by default.

    Attributes:
        built: whether the weights exist.
        bookkeeping: names of attributes that change nothing of what the layer computes.
        built_for: the shapes of the inputs they were made for.
        supports_masking: whether the output has the mask of the input: true of a layer that works
            on each step alone.

    Shapes:
        What ``call`` takes and gives; the first axis is the batch.

    Weights:
        Those that ``build`` makes.

    Example:
        >>> import clearprop as cp
        >>> class Scale(cp.layers.Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight((), "ones", name="factor")
        ...     def call(self, inputs):
        ...         return inputs * self.factor
        >>> Scale()([2.0, 3.0]).tolist()
        [2.0, 3.0]
    """

    supports_masking = False

    bookkeeping: ClassVar[frozenset[str]] = frozenset({"built", "built_for"})

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in vars(cls):
            cls.build = _completing(cls.build)  # type: ignore[method-assign]

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """A layer that is still empty, if these are arguments of its class."""
        refuse_unknown_arguments(cls, kwargs)
        return super().__new__(cls)

    def __init__(
        self, *, name: str | None = None, trainable: bool = True, dtype: Any = None
    ) -> None:
        super().__init__(name, trainable)
        self.dtype: DType = settings.dtype if dtype is None else as_dtype(dtype)
        self.built_for: tuple[Any, ...] = ()

    if not TYPE_CHECKING:  # or every attribute would pass for one of any layer

        def __getattr__(self, name: str) -> Any:
            raise missing_attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        is_news = not _is_same(vars(self).get(name, _NOTHING), value)
        super().__setattr__(name, value)
        if is_news and not name.startswith("_") and name not in self.bookkeeping:
            vars(self)["_changes"] = self.changes + 1

    @property
    def changes(self) -> int:
        """How often an attribute was assigned that may change what the layer computes.

        Steps that were compiled before a change are not used after it.
        """
        return int(vars(self).get("_changes", 0))

    # -- what subclasses define -------------------------------------------------

    def build(self, *input_shapes: Any) -> None:
        """Make the weights for inputs of these shapes; afterwards the layer is ``built``."""
        self.place_layers(self.sublayers)
        self.built, self.built_for = True, input_shapes

    def call(self, *inputs: Any, **kwargs: Any) -> Any:
        """The layer's function."""
        raise without_call(self)

    def compute_mask(self, inputs: Any, mask: Any) -> Any:
        """The mask of the output: that of the input; None where it ends here.

        A subclass that changes the steps of a sequence says here what becomes of its mask.

        Args:
            inputs: the first argument of ``call``.
            mask: its mask, in the same nest.

        Shapes:
            mask: bool (batch, steps)  ->  bool (batch, steps of the output)
        """
        return mask

    # -- calling ----------------------------------------------------------------

    def __call__(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """The layer's function of arrays, Tensors or symbolic Tensors.

        Args:
            *args: the inputs.
            training: whether it trains (dropout drops, batch statistics are used); by default as
                the surrounding call does, False outside.
            **kwargs: further arguments of ``call``.
        """
        first = _first_symbolic((args, kwargs))
        if first is not None:
            given = kwargs if training is None else {**kwargs, "training": training}
            return first.record(self, args, given)
        mode = current_mode()
        if mode is None or (training is not None and training != mode.training):
            trains = bool(training)
            mode = direct_mode(trains) if mode is None else mode.changed(trains)
        with mode.active():
            return self._run(args, kwargs, mode)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any], mode: Mode) -> Any:
        inputs = [self._as_input(arg) for arg in args]
        mask = kwargs.get("mask")
        if inputs and mask is not None:
            inputs[0] = given_masks(self, inputs[0], mask)
        kwargs = {name: value for name, value in kwargs.items() if name != "mask"}
        parameters = _parameters_of(type(self).call)
        with in_layer(self.name):
            if not self.built:
                self.build(*[_shape_of(value) for value in inputs])
            masks = mask_arguments(parameters, inputs, kwargs)
            if "training" in parameters:
                kwargs = {**kwargs, "training": mode.training}
            takes_masks = any(name.endswith("mask") for name in parameters)
            if has_mask(inputs) and not (takes_masks or self._passes_masks or self.sublayers):
                refuse_lost_mask(self, inputs)
            output = self.call(*inputs, **kwargs, **masks)
            if inputs and self._passes_masks:
                passed = self.compute_mask(inputs[0], masks_of(inputs[0]))
                output = masked_outputs(inputs, output, passed)
            for observe in mode.observers:
                observe(self, output)
            return output

    @property
    def _passes_masks(self) -> bool:
        """Whether the layer says what becomes of a mask; else those of the layers inside do."""
        return self.supports_masking or type(self).compute_mask is not Layer.compute_mask

    def _as_input(self, value: Any) -> Any:
        """Arrays become Tensors; floating-point ones of the layer's own element type."""
        if isinstance(value, (list, tuple)) and any(
            isinstance(part, (Value, np.ndarray)) for part in value
        ):
            return type(value)(self._as_input(part) for part in value)
        if isinstance(value, dict):
            return {key: self._as_input(part) for key, part in value.items()}
        if isinstance(value, Value) or value is None:
            return value
        made = tensor(value)
        return made.astype(self.dtype) if is_float(made.dtype) else made

    # -- weights ----------------------------------------------------------------

    def add_weight(
        self,
        shape: Shape,
        initializer: Any = "glorot_uniform",
        *,
        name: str,
        trainable: bool = True,
        regularizer: Any = None,
        dtype: Any = None,
        is_state: bool = False,
    ) -> Weight:
        """A new weight of this layer; assign it to an attribute.

        Args:
            shape: its shape.
            initializer: name or Initializer that draws the first numbers; None: the default.
            name: unique in the layer.
            trainable: whether the optimizer changes it.
            regularizer: name or Regularizer that adds to the loss.
            dtype: element type; the layer's own by default.
            is_state: whether the layer remembers it from batch to batch: it is among the
                ``variables`` but not among the ``weights``.

        Shapes:
            As given.
        """
        return Weight(
            tuple(shape),
            self.dtype if dtype is None else as_dtype(dtype),
            initializers.get("glorot_uniform" if initializer is None else initializer),
            name=name,
            trainable=trainable,
            regularizer=regularizers.get(regularizer),
            position=self.position,
            layer_path=_path_teller(self),
            is_state=is_state,
        )

    def update(self, variable: Parameter, new_value: Any) -> None:
        """Give a non-trainable variable a new value, as part of the step that is being computed."""
        change(variable, new_value)

    def add_loss(self, loss: Any) -> None:
        """Add a single number to the loss of the training step that is being computed."""
        mode = current_mode()
        if mode is not None:
            mode.losses.append(loss)

    def random_key(self, seed: int | None = None) -> tuple[Value, Value]:
        """Key and counter, u32[2] each, for one draw of random numbers in ``call``.

        Args:
            seed: what the numbers follow from in place of the model's seed, if not None.
        """
        mode = current_mode()
        assert mode is not None, "a layer draws random numbers only while it is called"
        return mode.random_key(self.position, seed), mode.counter

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments by name."""
        config = super().get_config()
        base = {"name": self.given_name, "trainable": self.trainable, "dtype": self.dtype}
        accepted = inspect.signature(type(self).__init__).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in accepted.values())
        return config | {key: base[key] for key in base if takes_any or key in accepted}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


@lru_cache(maxsize=1024)
def _parameters_of(call: Callable[..., Any]) -> list[str]:
    """Names of the parameters of a layer's ``call``, without ``self``."""
    return list(inspect.signature(call).parameters)[1:]


def _completing(build: Callable[..., None]) -> Callable[..., None]:
    """``build``, after which the layer knows that it is built, whoever called it."""

    @wraps(build)
    def complete(self: Layer, *input_shapes: Any) -> None:
        self.place_layers(self.sublayers)
        build(self, *input_shapes)
        self.place_layers(self.sublayers)  # those made in build
        self.built, self.built_for = True, input_shapes

    return complete


_NOTHING = object()  # the value of an attribute that does not exist
_PLAIN = (bool, int, float, str, type(None))


def _is_same(old: Any, new: Any) -> bool:
    """Whether an assignment changes nothing: the same object, or equal plain values."""
    if old is new:
        return True
    if type(old) is not type(new):
        return False
    if isinstance(new, tuple):
        return len(old) == len(new) and all(map(_is_same, old, new))
    return isinstance(new, _PLAIN) and bool(old == new)


def _path_teller(layer: Layer) -> Callable[[], str]:
    """Tells the layer's path as long as it lives, without keeping it alive."""
    weakly = ref(layer)

    def tell() -> str:
        living = weakly()
        return "" if living is None else living.path

    return tell


def _first_symbolic(arguments: Any) -> Symbolic | None:
    stack = [arguments]
    while stack:
        value = stack.pop()
        if isinstance(value, Symbolic):
            return value
        if isinstance(value, (list, tuple)):
            stack += reversed(value)
        elif isinstance(value, dict):
            stack += reversed(list(value.values()))
    return None


def _shape_of(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_shape_of(part) for part in value]
    if isinstance(value, dict):
        return {key: _shape_of(part) for key, part in value.items()}
    return value.shape if isinstance(value, Value) else None
