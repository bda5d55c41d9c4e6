"""Models: layers that can be compiled, trained, judged, asked and saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from weakref import ref

from clearprop import ops, tree
from clearprop.dtypes import DType, is_float
from clearprop.errors import ArgumentError, NotBuiltError, UnknownNameError
from clearprop.executors.choose import Executor, choose_executor
from clearprop.ir.place import here
from clearprop.ir.types import TensorType
from clearprop.ir.value import Value
from clearprop.layers.layer import Layer
from clearprop.layers.mode import inference_mode
from clearprop.optimizers import Optimizer
from clearprop.tensor.parameter import Trace, current_trace
from clearprop.tensor.tensor import Tensor
from clearprop.text import did_you_mean
from clearprop.train.callback import CallbackList
from clearprop.train.chunks import ChunkRunner
from clearprop.train.fitting import fit
from clearprop.train.history import History
from clearprop.train.judging import evaluate_samples, predict_samples
from clearprop.train.preparing import batch_types, check_counts, prepared_samples
from clearprop.train.progress import StepsDone, nothing_shown, steps_bar
from clearprop.train.samples import Samples, read_samples
from clearprop.train.setup import CompileArguments, Setup
from clearprop.train.state import TrainingState


class Model(Layer):
    """A network: a layer made of layers, with training around it.

    Three ways to make one: ``Sequential([...])``; ``Model(inputs, outputs)`` from symbolic
    Tensors (a functional model); a subclass with layers in its attributes and ``call``.

    Attributes:
        history: the numbers of all epochs trained so far.
        notes: what else belongs to the model and is saved with it, in JSON's terms: what its
            inputs and classes mean, say.
        training_state: how far the training has come.
        input_keys: by which names a subclass got its inputs last, where they came in a dict.
        slots_of: paths of the weights that the optimizer keeps slots for.

    Example:
        >>> import clearprop as cp
        >>> x = cp.layers.Input((4,))
        >>> model = cp.Model(x, cp.layers.Dense(2)(cp.layers.Dense(8, "relu")(x)))
        >>> model.count_params()
        58
    """

    bookkeeping = Layer.bookkeeping | {
        *("arguments", "history", "input_keys", "notes", "runners", "slots_of"),
        *("stop_training", "training_state"),
    }

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """A functional model when ``Model`` itself is called with inputs and outputs."""
        if cls is Model and (args or "inputs" in kwargs):
            return super().__new__(_functional_class(), **kwargs)
        return super().__new__(cls, **kwargs)

    def __init__(
        self,
        inputs: Any = None,
        outputs: Any = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
    ) -> None:
        if inputs is not None or outputs is not None:
            raise ArgumentError(
                f"{type(self).__name__}: a subclass of Model has no drawing of inputs and outputs",
                found="super().__init__(inputs, outputs)",
                needed="layers in attributes, and call(self, inputs)",
                try_="cp.Model(inputs, outputs) makes a functional model",
                at=str(here()),
            )
        super().__init__(name=name, trainable=trainable, dtype=dtype)
        self.stop_training = False
        self.history = History()
        self.arguments: CompileArguments | None = None
        self.training_state = TrainingState()
        self.runners: dict[Any, ChunkRunner] = {}
        self.notes: dict[str, Any] = {}
        self.slots_of: tuple[str, ...] | None = None
        self._output_structure: tree.Structure | None = None
        self._seen_input_types: list[TensorType] | None = None
        self.input_keys: list[str] | None = None

    # -- the function -----------------------------------------------------------

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs, in order."""
        return ["x"]

    @property
    def output_names(self) -> list[str]:
        """Names of the outputs, in order; known once the model was called."""
        structure = self._output_structure
        if structure is None or structure.leaf_count == 1:
            return ["output"]
        if structure.kind is dict:
            return [str(key) for key in structure.keys]
        return [f"output_{number + 1}" for number in range(structure.leaf_count)]

    def input_names_for(self, x: Any) -> list[str]:
        """Names of the inputs that ``x`` holds arrays for.

        A model that knows its inputs names those.  A subclass takes what its ``call`` takes: a
        dict, a list of arrays, or one array.
        """
        self.input_keys = None
        if isinstance(x, dict) and x:
            self.input_keys = sorted(x)
            return self.input_keys
        if isinstance(x, (list, tuple)) and len(x) > 1 and all(map(_is_array, x)):
            return [f"x[{number}]" for number in range(len(x))]
        return self.input_names

    def arrange_inputs(self, inputs: Sequence[Value]) -> Any:
        """The flat inputs as ``call`` takes them."""
        if self.input_keys is not None:
            return dict(zip(self.input_keys, inputs, strict=True))
        return inputs[0] if len(inputs) == 1 else list(inputs)

    def flat_outputs(self, inputs: Sequence[Value]) -> list[Value]:
        """The outputs for these inputs as a flat list, in the mode at work."""
        given = [self.cast_input(number, value) for number, value in enumerate(inputs)]
        result = self(self.arrange_inputs(given))
        leaves, self._output_structure = tree.flatten(result)
        self._seen_input_types = [value.type for value in inputs]  # only those it could take
        return leaves

    def cast_input(self, number: int, value: Value) -> Value:
        """An input in the element type the model computes with: floats in its own."""
        return self.cast_float(value, self.dtype)

    def cast_float(self, value: Value, dtype: DType) -> Value:
        """A floating-point value in ``dtype``; unchanged while gradients are being checked."""
        trace = current_trace()
        if not is_float(value.dtype) or (trace is not None and trace.keeps_element_types):
            return value
        return ops.cast(value, dtype)

    def arrange_outputs(self, flat: Sequence[Any]) -> Any:
        """The flat outputs in the structure that ``call`` returns."""
        assert self._output_structure is not None
        return tree.unflatten(self._output_structure, list(flat))

    def known_input_types(self, batch: int) -> list[TensorType] | None:
        """The types of the inputs for a batch of this size; None before the model saw any."""
        if self._seen_input_types is None:
            return None
        return [
            TensorType((batch, *type_.shape[1:]), type_.dtype) for type_ in self._seen_input_types
        ]

    def output_types(self, input_types: Sequence[TensorType]) -> list[TensorType]:
        """The types of the outputs for inputs of these types; weights are made if need be."""
        fixed = self.fixed_batch
        inputs = [Tensor(_with_batch(type_, fixed)) for type_ in input_types]
        with inference_mode().active(), Trace(binds_all=True).active():
            outputs = self.flat_outputs(inputs)
        batch = None if fixed is None else input_types[0].shape[0]
        return [_with_batch(output.type, batch) for output in outputs]

    @property
    def fixed_batch(self) -> int | None:
        """The batch size of stateful layers inside; None where there are none."""
        return next((state.shape[0] for state in self.states_inside), None)

    # -- layers -----------------------------------------------------------------

    @property
    def layers(self) -> list[Layer]:
        """The layers of the model, in order."""
        return self.sublayers

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or with this number.

        Raises:
            UnknownNameError: there is none.
        """
        layers = self.layers
        if index is not None and -len(layers) <= index < len(layers):
            return layers[index]
        for layer in layers:
            if name is not None and layer.name == name:
                return layer
        wanted = repr(name) if index is None else f"number {index}"
        raise UnknownNameError(
            f'get_layer: "{self.name}" has no layer {wanted}',
            found=wanted + did_you_mean(name or "", [layer.name for layer in layers]),
            needed=", ".join(layer.name for layer in layers) or "a model that was built",
            at=str(here()),
        )

    def following_layers(self) -> list[tuple[Layer, Layer]]:
        """Pairs of layers of which the second alone takes what the first gives, where known."""
        return []

    # -- training ---------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        *,
        weighted_metrics: Any = None,
        loss_weights: Any = None,
        executor: str | None = None,
        threads: int | None = None,
        seed: int | None = None,
    ) -> None:
        """Say how to train: what to minimize, with which optimizer, and what to report.

        Args:
            optimizer: name or Optimizer.
            loss: name or Loss; for several outputs a list or a dict by output name.
            metrics: list of names or Metrics, e.g. ``["accuracy"]``; for several outputs a list
                of lists or a dict.
            weighted_metrics: metrics that count each sample by its weight.
            loss_weights: factors of the outputs' losses.
            executor: "native", "reference", or None for the best that can run here.
            threads: how many threads may work; None for as many as there are.
            seed: initial weights that nobody has set or trained, row orders and noise follow
                from it; None takes the one of ``cp.set_seed``.

        Raises:
            UnknownNameError: a name that nothing has; the message tells the nearest one.
            UnsupportedError: the named executor cannot run here.
        """
        if executor is not None:
            choose_executor(executor)
        self.arguments = CompileArguments(
            optimizer, loss, metrics, weighted_metrics, loss_weights, executor, threads, seed
        )
        self.optimizer.state, self.optimizer.trains = {}, ref(self)
        self.slots_of = None
        self.runners.clear()
        self.training_state = TrainingState()
        for weight in self.weights:
            weight.reseed(self.arguments.seed)

    def fit(
        self,
        x: Any,
        y: Any = None,
        *,
        epochs: int = 1,
        batch_size: int | None = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        sample_weight: Any = None,
        class_weight: Mapping[int, float] | None = None,
        initial_epoch: int = 0,
        callbacks: Sequence[Any] = (),
        verbose: Any = "auto",
        validation_batch_size: int | None = None,
        validation_freq: int = 1,
    ) -> History:
        """Train: repeat the step over all samples, ``epochs`` times.

        Returns:
            The history of this call: for each name the value of each epoch.
        """
        return fit(
            self,
            x,
            y,
            epochs=epochs,
            batch_size=32 if batch_size is None else batch_size,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            sample_weight=sample_weight,
            class_weight=class_weight,
            initial_epoch=initial_epoch,
            callbacks=callbacks,
            verbose=verbose,
            validation_batch_size=validation_batch_size,
            validation_freq=validation_freq,
        )

    def evaluate(
        self,
        x: Any,
        y: Any = None,
        *,
        batch_size: int | None = None,
        sample_weight: Any = None,
        callbacks: Sequence[Any] = (),
        verbose: Any = 0,
        return_dict: bool = True,
    ) -> Any:
        """The losses and metrics of the model on these samples.

        Args:
            x, y: samples as for ``fit``.
            batch_size: samples computed at once; None for 32.
            sample_weight: one number for each sample.
            callbacks: told when it begins and ends.
            verbose: 1 or "auto" shows a bar on a terminal.
            return_dict: False for the values alone, as a list in the same order.

        Returns:
            For each name ("loss", "accuracy", ...) its value.
        """
        batch_size = 32 if batch_size is None else batch_size
        check_counts("evaluate", batch_size=batch_size)
        samples, setup = prepared_samples(self, x, y, sample_weight, None, doing="evaluate")
        listed = CallbackList(self, callbacks, verbose=0)
        with steps_bar("evaluate", verbose) as bar:
            results = self.judge(samples, setup, batch_size, listed, bar)
        return results if return_dict else list(results.values())

    def judge(
        self,
        samples: Samples,
        setup: Setup,
        batch_size: int,
        callbacks: CallbackList,
        bar: StepsDone = nothing_shown,
    ) -> dict[str, Any]:
        """``evaluate`` on samples that are prepared."""
        callbacks.on_test(begins=True)
        results = evaluate_samples(self, samples, setup, batch_size, bar)
        callbacks.on_test(begins=False)
        return results

    def predict(
        self,
        x: Any,
        *,
        batch_size: int | None = None,
        callbacks: Sequence[Any] = (),
        verbose: Any = 0,
    ) -> Any:
        """The outputs of the model for these inputs, in inference mode.

        Args:
            x: inputs as for ``fit``.
            batch_size: samples computed at once, which results do not depend on; None for 256.
            callbacks: told when it begins and ends.
            verbose: 1 or "auto" shows a bar on a terminal.

        Returns:
            An array, or arrays in the structure of the model's outputs.

        Shapes:
            (samples, *shape of one sample's output).
        """
        self.needs_weights("predict")
        batch_size = 256 if batch_size is None else batch_size
        check_counts("predict", batch_size=batch_size)
        samples = read_samples(x, input_names=self.input_names_for(x))
        self.output_types(batch_types(samples.inputs))  # a wrong shape fails here, in words
        listed = CallbackList(self, callbacks, verbose=0)
        listed.on_predict(begins=True)
        with steps_bar("predict", verbose) as bar:
            flat = predict_samples(self, samples, batch_size, bar)
        listed.on_predict(begins=False)
        return self.arrange_outputs(flat)

    def output_layers(self) -> list[Layer | None]:
        """For each output the layer it comes from, where that is known."""
        return [None for _ in self.output_names]

    @property
    def executor(self) -> Executor:
        """What runs the model's Programs."""
        return choose_executor(None if self.arguments is None else self.arguments.executor)

    @property
    def optimizer(self) -> Optimizer:
        """What changes the weights; see ``compile``."""
        if self.arguments is None:
            raise NotBuiltError(
                "optimizer: the model has none yet",
                found="a model that was not compiled",
                needed='model.compile(optimizer="adam", loss=...) before',
                at=str(here()),
            )
        return self.arguments.optimizer

    # -- looking and keeping ----------------------------------------------------

    def summary(self) -> None:
        """Print the layers with shapes, parameters and bytes."""
        from clearprop.train.summary import summary_text

        print(summary_text(self))  # noqa: T201 -- printing is what it is for

    def save(self, path: Any) -> None:
        """Write the model, its optimizer's state and its history into one safetensors file."""
        from clearprop.train import checkpoint

        checkpoint.save_model(self, path)

    def save_weights(self, path: Any) -> None:
        """Write the weights alone into a safetensors file."""
        from clearprop.train import checkpoint

        checkpoint.save_weights(self, path)

    def load_weights(self, path: Any) -> None:
        """Read the weights from a file written by ``save_weights`` or ``save``."""
        from clearprop.train import checkpoint

        checkpoint.load_weights(self, path)

    def check_gradients(self, x: Any, y: Any = None, *, tolerance: float = 1e-5) -> Any:
        """Compare the gradients of the weights with measured differences, in float64.

        Args:
            x: inputs, a few samples.
            y: targets; with them the compiled loss is checked, else a random combination of the
                outputs.
            tolerance: largest relative error that counts as right.

        Returns:
            A report that prints as a table and is true when all is well.
        """
        from clearprop.train.checking import check_model_gradients

        return check_model_gradients(self, x, y, tolerance)


def _with_batch(type_: TensorType, batch: int | None) -> TensorType:
    """The type with another batch size, if one is given."""
    return type_ if batch is None else TensorType((batch, *type_.shape[1:]), type_.dtype)


def _is_array(part: Any) -> bool:
    return getattr(part, "ndim", 0) > 0


def _functional_class() -> type[Model]:
    from clearprop.train.functional import Functional

    return Functional
