"""Functional models: a drawing made with symbolic Tensors, replayed on real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clearprop import ops, tree
from clearprop.dtypes import is_float
from clearprop.errors import ArgumentError, ModelFileError, TraceError
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.layers.layer import Layer
from clearprop.layers.symbolic import Call, Input, SymbolicTensor, calls_under, declared_types
from clearprop.registry import registered_name
from clearprop.settings import settings
from clearprop.train.model import Model

_OPERATIONS = {name: getattr(ops, name) for name in ops.__all__}
_NAME_OF = {operation: name for name, operation in _OPERATIONS.items()}


class Functional(Model):
    """A model drawn from symbolic inputs to symbolic outputs; ``cp.Model(inputs, outputs)``.

    Args:
        inputs: a symbolic Tensor from ``cp.layers.Input``, or a list or dict of them.
        outputs: what layers and operations made of them, in any nest.
        name: the model's name.
        trainable: whether ``fit`` may change the weights.
        dtype: element type of the computation.
    """

    def __init__(
        self,
        inputs: Any,
        outputs: Any,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.inputs, self._input_structure = tree.flatten(inputs)
        self.outputs, self._outputs_structure = tree.flatten(outputs)
        _check_symbolic(self.inputs, self.outputs)
        self._calls = calls_under(self.outputs, self.inputs)
        _check_reached(self.inputs, self._calls)
        self._layers = _layers_in_order(self._calls, self.outputs)
        self.place_layers(self._layers)
        self._output_structure = self._outputs_structure
        self.built = True
        self._drawn_from = self._present_state()

    @property
    def layers(self) -> list[Layer]:
        """The layers in Keras's order: those farthest from the outputs first."""
        return list(self._layers)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs: given by the user, or by the dict they came in, or numbered."""
        if self._input_structure.kind is dict:
            return [str(key) for key in self._input_structure.keys]
        if len(self.inputs) == 1:
            return [self.inputs[0].name or "x"]
        return [x.name or f"input_{number + 1}" for number, x in enumerate(self.inputs)]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs: their keys in a dict, or the layers they come from."""
        if self._outputs_structure.kind is dict:
            return [str(key) for key in self._outputs_structure.keys]
        names: list[str] = []
        for number, layer in enumerate(self.output_layers()):
            name = layer.name if layer is not None else f"output_{number + 1}"
            names.append(name if name not in names else f"{name}_{number + 1}")
        return names

    def output_layers(self) -> list[Layer | None]:
        """For each output the layer it comes from, or None for an operation."""
        functions = [x.call.function if x.call is not None else None for x in self.outputs]
        return [function if isinstance(function, Layer) else None for function in functions]

    def input_names_for(self, x: Any) -> list[str]:
        """The inputs it was drawn with."""
        return self.input_names

    def following_layers(self) -> list[tuple[Layer, Layer]]:
        """Pairs of layers of which the second alone takes what the first gives."""
        takers: dict[SymbolicTensor, list[Any]] = {x: [None] for x in self.outputs}
        for call in self._calls:
            for x in call.inputs:
                takers.setdefault(x, []).append(call.function)
        return [
            (call.function, takers[x][0])
            for call in self._calls
            for x in call.outputs
            if isinstance(call.function, Layer)
            and len(takers.get(x, ())) == 1
            and isinstance(takers[x][0], Layer)
        ]

    def known_input_types(self, batch: int) -> list[TensorType] | None:
        """The types of the inputs, as seen last or as they were drawn."""
        return super().known_input_types(batch) or declared_types(self.inputs, batch)

    def output_types(self, input_types: Sequence[TensorType]) -> list[TensorType]:
        """The types of the outputs: those that were drawn, where they are sure to be the same."""
        return self._drawn_types(input_types) or super().output_types(input_types)

    def _drawn_types(self, input_types: Sequence[TensorType]) -> list[TensorType] | None:
        """The outputs as they were drawn, with the batch that is given; None where that may err."""
        batches = {type_.shape[:1] for type_ in input_types}
        given = [(None, *type_.shape[1:]) for type_ in input_types]
        sizes = [each.shape[:1] for each in self.inputs[0].stand_ins]
        are_batches = all(
            [each.shape[:1] for each in x.stand_ins] == sizes and None not in x.shape[1:]
            for x in self.outputs
        )
        is_as_drawn = given == [x.shape for x in self.inputs] and len(batches) == 1
        if not (is_as_drawn and are_batches and self._drawn_from == self._present_state()):
            return None
        (batch,) = batches
        return [TensorType((*batch, *x.stand_ins[0].shape[1:]), x.dtype) for x in self.outputs]

    def _present_state(self) -> tuple[Any, ...]:
        """What the types of the outputs follow from: it differs once a layer has been changed."""
        layers = [inner for layer in self._layers for inner in layer.all_layers()]
        return settings.dtype, [(id(layer), layer.changes) for layer in layers]

    def cast_input(self, number: int, value: Value) -> Value:
        """An input as the element type that its ``Input`` has."""
        wanted = self.inputs[number].dtype
        if is_float(value.dtype) and is_float(wanted):
            return self.cast_float(value, wanted)
        return value if value.dtype == wanted else ops.cast(value, wanted)

    def call(self, inputs: Any) -> Any:
        """The recorded calls, in order, on these inputs."""
        value_of: dict[SymbolicTensor, Any] = dict(
            zip(self.inputs, self._flat_inputs(inputs), strict=True)
        )
        for call in self._calls:
            results = call.run(value_of)
            value_of.update(zip(call.outputs, results, strict=True))
        return tree.unflatten(self._outputs_structure, [value_of[x] for x in self.outputs])

    def _flat_inputs(self, inputs: Any) -> list[Any]:
        """The inputs in the model's order; those in a dict are found by name."""
        names = self.input_names
        if isinstance(inputs, dict) and len(names) == len(self.inputs):
            by_name = {str(key): value for key, value in inputs.items()}
            missing = [name for name in names if name not in by_name]
            if missing:
                raise ArgumentError(
                    f'Calling "{self.name}": there is no input called {missing[0]!r}',
                    found=", ".join(by_name) or "an empty dict",
                    needed=", ".join(names),
                    at=str(here()),
                )
            return [by_name[name] for name in names]
        given, _ = tree.flatten(inputs)
        if len(given) != len(self.inputs):
            raise ArgumentError(
                f'Calling "{self.name}": another number of inputs than it was drawn with',
                found=f"{len(given)}",
                needed=f"{len(self.inputs)}: {', '.join(names)}",
                at=str(here()),
            )
        return given

    # -- writing down -----------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Inputs, layers and calls, as numbers that refer to each other."""
        number_of = {x: number for number, x in enumerate(self.inputs)}
        for call in self._calls:
            for output in call.outputs:
                number_of[output] = len(number_of)
        return super().get_config() | {
            "inputs": [
                {
                    "shape": x.shape[1:],
                    "dtype": x.dtype.name,
                    "name": x.name or None,
                    "batch_size": x.shape[0],
                }
                for x in self.inputs
            ],
            "input_keys": _keys(self._input_structure),
            "layers": self._layers,
            "calls": [self._call_config(call, number_of) for call in self._calls],
            "outputs": [number_of[x] for x in self.outputs],
            "output_keys": _keys(self._outputs_structure),
        }

    def _call_config(self, call: Call, number_of: dict[SymbolicTensor, int]) -> dict[str, Any]:
        def described(leaf: Any) -> Any:
            return _Reference(number_of[leaf]) if isinstance(leaf, SymbolicTensor) else leaf

        if isinstance(call.function, Layer):
            function: Any = next(
                i for i, layer in enumerate(self._layers) if layer is call.function
            )
        else:
            function = _NAME_OF.get(call.function) or call.function
        args = [_encoded(tree.map_leaves(described, arg)) for arg in call.args]
        kwargs = {
            name: _encoded(tree.map_leaves(described, arg)) for name, arg in call.kwargs.items()
        }
        return {"function": function, "args": args, "kwargs": kwargs}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Functional:
        """The drawing, made again."""
        inputs = [Input(**one) for one in config["inputs"]]
        known: list[SymbolicTensor] = list(inputs)
        for call in config["calls"]:
            function = _function(call["function"], config["layers"])
            args = [_decoded(arg, known) for arg in call["args"]]
            kwargs = {name: _decoded(arg, known) for name, arg in call["kwargs"].items()}
            if not any(isinstance(x, SymbolicTensor) for x in tree.flatten([args, kwargs])[0]):
                raise ModelFileError(
                    "Reading a functional model: a call computes without any input",
                    found=repr(call)[:80],
                    needed="a file written by model.save",
                )
            known += tree.flatten(function(*args, **kwargs))[0]
        return Functional(
            _arranged(inputs, config["input_keys"]),
            _arranged([known[number] for number in config["outputs"]], config["output_keys"]),
            name=config["name"],
            trainable=config["trainable"],
            dtype=config["dtype"],
        )


def _layers_in_order(calls: Sequence[Call], outputs: Sequence[SymbolicTensor]) -> list[Layer]:
    """The layers by the number of calls between them and an output, the largest first.

    This is Keras's order, which ``set_weights`` relies on.  Where several are equally far away, the
    order is that of a walk back from the outputs, first inputs first.

    Args:
        calls: each after those it reads.
        outputs: of the model.
    """

    def part(call: Call) -> int:
        """A layer counts once, however often it is called; operations count each time."""
        return id(call.function) if isinstance(call.function, Layer) else id(call)

    inside = set(calls)
    far: dict[Call, int] = {}
    farthest: dict[int, int] = {}
    for call in reversed(calls):
        steps = max(far.get(call, 0), farthest.get(part(call), 0))
        far[call] = farthest[part(call)] = steps
        for x in call.inputs:
            if x.call in inside:
                far[x.call] = max(far.get(x.call, 0), steps + 1)
    met: dict[int, int] = {}
    seen: set[Call] = set()
    stack = [x.call for x in reversed(outputs)]
    while stack:
        call_or_none = stack.pop()
        if call_or_none not in inside or call_or_none in seen:
            continue
        seen.add(call_or_none)
        met.setdefault(part(call_or_none), len(met))
        stack += [x.call for x in reversed(call_or_none.inputs)]
    layers = {part(call): call.function for call in calls if isinstance(call.function, Layer)}
    return [layers[key] for key in sorted(layers, key=lambda key: (-farthest[key], met[key]))]


class _Reference:
    """Stands for a symbolic Tensor while a call is written down."""

    def __init__(self, number: int) -> None:
        self.number = number


def _encoded(nest: Any) -> Any:
    """References as {"symbolic": number}; slices and Ellipsis by name; the rest as it is."""
    if isinstance(nest, _Reference):
        return {"symbolic": nest.number}
    if isinstance(nest, slice):
        return {"slice": [nest.start, nest.stop, nest.step]}
    if nest is Ellipsis:
        return {"ellipsis": True}
    if isinstance(nest, (list, tuple)):
        return type(nest)(_encoded(part) for part in nest)
    if isinstance(nest, dict):
        return {"named": {key: _encoded(part) for key, part in nest.items()}}
    return nest


def _decoded(nest: Any, known: list[SymbolicTensor]) -> Any:
    match nest:
        case {"symbolic": int(number)}:
            if not 0 <= number < len(known):
                raise ModelFileError(
                    "Reading a functional model: a call refers to what does not exist yet",
                    found=f"value {number}",
                    needed=f"0 to {len(known) - 1}",
                )
            return known[number]
        case {"slice": [start, stop, step]}:
            return slice(start, stop, step)
        case {"ellipsis": True}:
            return Ellipsis
        case {"named": dict(parts)}:
            return {key: _decoded(part, known) for key, part in parts.items()}
        case list() | tuple():
            return type(nest)(_decoded(part, known) for part in nest)
    return nest


def _function(spec: Any, layers: list[Layer]) -> Any:
    if isinstance(spec, int) and 0 <= spec < len(layers):
        return layers[spec]
    if isinstance(spec, str) and spec in _OPERATIONS:
        return _OPERATIONS[spec]
    if callable(spec) and registered_name(spec) is not None:
        return spec
    raise ModelFileError(
        "Reading a functional model: it calls what is neither a layer nor an operation",
        found=repr(spec)[:60],
        needed="a layer of the model, an operation of ClearProp, or a registered function",
    )


def _keys(structure: tree.Structure) -> Any:
    """None for a single value, "list" for several, the keys of a dict."""
    if structure.kind is dict:
        return list(structure.keys)
    return None if structure.kind is None else "list"


def _arranged(values: list[SymbolicTensor], keys: Any) -> Any:
    if keys is None:
        return values[0]
    return list(values) if keys == "list" else dict(zip(keys, values, strict=True))


def _check_symbolic(inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
    for kind, values in (("inputs", inputs), ("outputs", outputs)):
        if not values or not all(isinstance(value, SymbolicTensor) for value in values):
            raise ArgumentError(
                f"Model: its {kind} are symbolic Tensors",
                found=", ".join(type(value).__name__ for value in values) or "nothing",
                needed="what cp.layers.Input(...) gives, and what layers make of it",
                at=str(here()),
            )


def _check_reached(inputs: Sequence[SymbolicTensor], calls: Sequence[Call]) -> None:
    known = set(inputs)
    for call in calls:
        for x in call.inputs:
            if x not in known and x.call is None:
                raise TraceError(
                    "Model: an output depends on an Input that is not among the inputs",
                    found=repr(x),
                    needed="every Input that the outputs depend on",
                    try_="cp.Model([first, second], output)",
                    at=str(here()),
                )
        known.update(call.outputs)
