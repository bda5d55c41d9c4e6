"""What holds weights, and layers that hold weights: their order, their names and their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast
from weakref import ref

import numpy as np

from clearprop.errors import ArgumentError, NotBuiltError, ShapeError
from clearprop.ir.place import here, telling_line
from clearprop.ir.value import Array
from clearprop.layers.weight import Weight
from clearprop.ops.lift import leaf_array
from clearprop.registry import Configurable
from clearprop.text import snake_case

if TYPE_CHECKING:
    from clearprop.layers.layer import Layer

_PLAIN = {bool, int, float, str, type(None)}  # the types of most attributes


class Holder(Configurable):
    """The part of a layer that keeps its weights and the layers inside it.   Each one is a Layer.

    Args:
        name: unique in the model; by default the class's name in snake_case with a number.
        trainable: whether ``fit`` may change the weights.

    Attributes:
        built: whether the weights exist.
    """

    def __init__(self, name: str | None, trainable: bool) -> None:
        if name is not None and not isinstance(name, str):
            raise ArgumentError(
                f"{type(self).__name__}: a layer's name is text",
                found=f"name={name!r}",
                needed='for example name="hidden_1"',
                at=str(here()),
            )
        self._given_name, self._name_in_model = name, ""
        self._trainable = bool(trainable)
        self.built = False
        self._position: tuple[int, ...] = ()
        self._placed_by: ref[Holder] | None = None

    # -- weights ----------------------------------------------------------------

    @property
    def sublayers(self) -> list[Layer]:
        """The layers kept in this one's attributes, in the order they were assigned."""
        return self._kept()[0]

    @property
    def own_weights(self) -> list[Weight]:
        """The weights kept in this layer's own attributes: trainable ones first."""
        return self._kept()[1]

    def _kept(self) -> tuple[list[Layer], list[Weight]]:
        """The layers and the weights in attributes, or in lists, tuples and dicts there."""
        layers: dict[int, Layer] = {}
        weights: dict[int, Weight] = {}
        for value in vars(self).values():
            if type(value) in _PLAIN:
                continue
            for part in _parts(value):
                if isinstance(part, Holder):
                    layers[id(part)] = cast("Layer", part)
                elif isinstance(part, Weight):
                    weights[id(part)] = part
        ordered = sorted(weights.values(), key=lambda weight: not weight.trainable)
        return list(layers.values()), ordered

    def all_layers(self) -> Iterator[Layer]:
        """This layer and all below it, each once, outer before inner."""
        for layer, _, _ in self._walk():
            yield layer

    def _walk(self) -> Iterator[tuple[Layer, list[Layer], list[Weight]]]:
        """The same, and for each the layers and the weights in its attributes."""
        seen: set[int] = set()
        stack: list[Layer] = [cast("Layer", self)]
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            inside, weights = layer._kept()
            yield layer, inside, weights
            stack += reversed(inside)

    @property
    def variables(self) -> list[Weight]:
        """All weights, and what stateful layers remember from batch to batch."""
        found = {id(weight): weight for _, _, weights in self._walk() for weight in weights}
        return list(found.values())

    @property
    def weights(self) -> list[Weight]:
        """All weights in Keras's order: layer by layer, trainable before non-trainable."""
        return [variable for variable in self.variables if not variable.is_state]

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that ``fit`` changes."""
        kept = {id(layer): (inside, weights) for layer, inside, weights in self._walk()}
        stack: list[Holder] = [self]
        trained: dict[int, set[int]] = {}  # of layers that are reached through none that is frozen
        while stack:
            layer = stack.pop()
            if layer._trainable and id(layer) not in trained:
                inside, weights = kept[id(layer)]
                trained[id(layer)] = {id(weight) for weight in weights if weight.trainable}
                stack += inside
        learn = set().union(*trained.values())
        everything = {id(weight): weight for _, weights in kept.values() for weight in weights}
        return [each for key, each in everything.items() if key in learn and not each.is_state]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that ``fit`` leaves to the layers: running statistics, frozen layers."""
        trained = {id(weight) for weight in self.trainable_weights}
        return [weight for weight in self.weights if id(weight) not in trained]

    @property
    def non_trainable_variables(self) -> list[Weight]:
        """The weights that ``fit`` leaves to the layers, and what those remember."""
        trained = {id(weight) for weight in self.trainable_weights}
        return [variable for variable in self.variables if id(variable) not in trained]

    @property
    def states_inside(self) -> list[Weight]:
        """What stateful layers remember from batch to batch."""
        return [variable for variable in self.variables if variable.is_state]

    def reset_state(self) -> None:
        """Let this layer and those inside begin anew: their states become 0."""
        for state in self.states_inside:
            state.assign(np.zeros(state.shape, state.dtype))

    def count_params(self) -> int:
        """Number of weights' elements."""
        self.needs_weights("count_params")
        return sum(weight.size for weight in self.weights)

    def get_weights(self) -> list[Array]:
        """Copies of all weights, in Keras's order and layouts."""
        self.needs_weights("get_weights")
        return [weight.numpy().copy() for weight in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace all weights.

        Args:
            weights: arrays in Keras's order and layouts.

        Raises:
            ShapeError: their number or a shape differs; then no weight is changed.
        """
        self.needs_weights("set_weights")
        own = self.weights
        with telling_line:
            arrays = [leaf_array(weight) for weight in weights]  # all can be read before one is set
        found, needed = [a.shape for a in arrays], [w.shape for w in own]
        if found != needed:
            raise ShapeError(
                f'set_weights: the arrays do not fit the weights of "{self.name}"',
                found=", ".join(map(str, found)) or "no arrays",
                needed=", ".join(f"{w.name} {w.shape}" for w in own) or "no arrays",
                try_="take them from get_weights of the same architecture",
                at=str(here()),
            )
        for weight, array in zip(own, arrays, strict=True):
            weight.assign(array)

    def needs_weights(self, doing: str) -> None:
        """Refuse what only a layer with weights can do.

        Raises:
            NotBuiltError: it has none yet.
        """
        if not self.built:
            raise NotBuiltError(
                f'{doing}: "{self.name}" has no weights yet, it has not seen an input',
                found="a layer that was never called",
                needed="one call, or build(input_shape)",
                try_="start the model with cp.layers.Input(shape), or call it on a batch first",
                at=str(here()),
            )

    # -- names and places -------------------------------------------------------

    @property
    def name(self) -> str:
        """The layer's name: given by the user, or by its model, or by its class."""
        return self._given_name or self._name_in_model or snake_case(type(self).__name__)

    @name.setter
    def name(self, name: str) -> None:
        self._given_name = name

    @property
    def given_name(self) -> str | None:
        """The name that the user gave, if any."""
        return self._given_name

    @property
    def path(self) -> str:
        """Names of the layers around this one and its own, without the outermost model's."""
        names = [layer.name for layer in self._outward()]
        return "/".join(reversed(names[:-1] or names))

    @property
    def position(self) -> tuple[int, ...]:
        """Where the layer stands: its number in its model, its number in that one, ..."""
        return self._position

    def place_layers(self, layers: Sequence[Layer]) -> None:
        """Number the layers inside this one, and give each a default name that is unique here.

        A layer that another model placed before keeps its number and name: a second model over
        the same layers changes nothing.
        """
        counts: dict[str, int] = {}
        taken = {layer._given_name for layer in layers}
        for number, layer in enumerate(layers):
            base = name = snake_case(type(layer).__name__)
            if layer._given_name is None:
                while name in taken:
                    counts[base] = counts.get(base, 0) + 1
                    name = f"{base}_{counts[base]}"
                taken.add(name)
            placed_by = layer._placed_by() if layer._placed_by is not None else None
            if (placed_by is None or placed_by is self) and layer not in self._outward():
                layer._placed_by = ref(self)
                layer._name_in_model = name
                layer.move((*self._position, number))

    def _outward(self) -> list[Holder]:
        """This layer and those it stands in, which can never be placed below it."""
        found: list[Holder] = []
        layer: Holder | None = self
        while layer is not None and layer not in found:
            found.append(layer)
            layer = layer._placed_by() if layer._placed_by is not None else None
        return found

    def move(self, position: tuple[int, ...]) -> None:
        """Stand at ``position`` from now on, and all layers inside with it."""
        self._position = position
        for weight in self.own_weights:
            weight.move(position)
        self.place_layers(self.sublayers)

    @property
    def trainable(self) -> bool:
        """Whether ``fit`` may change the weights of this layer and those inside it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for layer in self.all_layers():
            layer._trainable = bool(value)


def _parts(value: Any) -> Iterable[Any]:
    """The value, or what it holds if it is a list, tuple or dict."""
    if isinstance(value, (list, tuple)):
        return value
    return value.values() if isinstance(value, dict) else (value,)
