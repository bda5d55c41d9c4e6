"""Mistakes with models and compile: the words of each error, and nothing is lost by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import clearprop as cp
from clearprop import losses
from clearprop.errors import (
    ArgumentError,
    ClearPropError,
    LabelError,
    NotBuiltError,
    ShapeError,
    TraceError,
    UnknownNameError,
)
from tests.train.mistakes import (
    X,
    Y,
    assert_told,
    assert_trains_as_new,
    bare,
    chance,
    dense,
    given,
    logits,
    net,
    one_softmax,
    price,
    three_sigmoids,
    two,
)

Told = tuple[type[ClearPropError], str, str, str, str]
MISTAKES: dict[str, tuple[Callable[[], cp.Model], Callable[[cp.Model], Any], Told]] = {
    "fit before compile": (
        bare,
        lambda model: model.fit(X, Y),
        (
            NotBuiltError,
            "fit: the model does not know what to minimize",
            "a model that was not compiled",
            'model.compile(optimizer="adam", loss=...) before',
            "",
        ),
    ),
    "evaluate before compile": (
        bare,
        lambda model: model.evaluate(X, Y),
        (
            NotBuiltError,
            "evaluate: the model does not know what to minimize",
            "a model that was not compiled",
            'model.compile(optimizer="adam", loss=...) before',
            "",
        ),
    ),
    "predict before build": (
        bare,
        lambda model: model.predict(X),
        (
            NotBuiltError,
            'predict: "bare" has no weights yet, it has not seen an input',
            "a layer that was never called",
            "one call, or build(input_shape)",
            "start the model with cp.layers.Input(shape), or call it on a batch first",
        ),
    ),
    "weights before build": (
        bare,
        lambda model: model.get_weights(),
        (
            NotBuiltError,
            'get_weights: "bare" has no weights yet, it has not seen an input',
            "a layer that was never called",
            "one call, or build(input_shape)",
            "start the model with cp.layers.Input(shape), or call it on a batch first",
        ),
    ),
    "the optimizer before compile": (
        bare,
        lambda model: model.optimizer,
        (
            NotBuiltError,
            "optimizer: the model has none yet",
            "a model that was not compiled",
            'model.compile(optimizer="adam", loss=...) before',
            "",
        ),
    ),
    "an unknown optimizer": (
        net,
        lambda model: model.compile("adm", "mse"),
        (
            UnknownNameError,
            "Looking up a name: there is no optimizer called 'adm'",
            "'adm' did you mean \"Adam\"?",
            "one of Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, Ftrl, ...",
            'for one of your own, put @cp.register("adm") before its class',
        ),
    ),
    "an unknown loss": (
        net,
        lambda model: model.compile("adam", "mean_square_error"),
        (
            UnknownNameError,
            "Looking up a name: there is no loss called 'mean_square_error'",
            "'mean_square_error' did you mean \"MeanSquaredError\"?",
            "one of BinaryCrossentropy, BinaryFocalCrossentropy, CTC, ...",
            'for one of your own, put @cp.register("mean_square_error") before its class',
        ),
    ),
    "a loss that is none": (
        net,
        lambda model: model.compile("adam", 3),
        (
            ArgumentError,
            "Choosing a loss: this is not one",
            "3",
            'a name such as "mse", cp.losses.MeanSquaredError(), or a function of (y_true, y_pred)',
            "",
        ),
    ),
    "an unknown metric": (
        net,
        lambda model: (model.compile("adam", "mse", ["acuracy"]), model.fit(X, X[:, :3])),
        (
            UnknownNameError,
            "Looking up a name: there is no metric called 'acuracy'",
            "'acuracy' did you mean \"Accuracy\"?",
            "one of AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, ...",
            'for one of your own, put @cp.register("acuracy") before its class',
        ),
    ),
    "an unknown executor": (
        net,
        lambda model: model.compile("adam", "mse", executor="nativ"),
        (
            UnknownNameError,
            "Choosing an executor: there is none called 'nativ' here",
            "'nativ' did you mean \"native\"?",
            "native, reference",
            "",
        ),
    ),
    "no threads": (
        net,
        lambda model: model.compile("adam", "mse", threads=0),
        (
            ArgumentError,
            "compile: the number of threads is a whole number",
            "threads=0",
            "1 or more, or None",
            "",
        ),
    ),
    "seed=-1": (
        net,
        lambda model: model.compile("adam", "mse", seed=-1),
        (
            ArgumentError,
            "compile: the seed is a whole number",
            "seed=-1",
            "0 <= seed < 2**64, or None for the one of cp.set_seed",
            "",
        ),
    ),
    "seed='a'": (
        net,
        lambda model: model.compile("adam", "mse", seed="a"),
        (
            ArgumentError,
            "compile: the seed is a whole number",
            "seed='a'",
            "0 <= seed < 2**64, or None for the one of cp.set_seed",
            "",
        ),
    ),
    "an optimizer that another model took over": (
        net,
        lambda model: (
            model.compile(optimizer := cp.optimizers.Adam(), "mse"),
            (other := net()).compile(optimizer, "mse"),
            other.fit(X, X[:, :3], verbose=0),
            model.fit(X, X[:, :3]),
        ),
        (
            ArgumentError,
            'fit: the optimizer of "net" was compiled into another model since',
            "one Adam in two models",
            "an optimizer of its own for each model",
            "compile it again with a new optimizer, or with a name such as 'adam'",
        ),
    ),
    "a list as the loss of an output": (
        net,
        lambda model: model.compile("adam", {"output": ["mse"]}),
        (
            ArgumentError,
            "Choosing a loss: this is not one",
            "['mse']",
            'a name such as "mse", cp.losses.MeanSquaredError(), or a function of (y_true, y_pred)',
            "",
        ),
    ),
    "a loss for an unknown output": (
        two,
        lambda model: (model.compile("adam", {"prise": "mse"}), model.fit([X, X], [Y, Y])),
        (
            ArgumentError,
            "compile: loss names an output that the model does not have",
            "'prise' did you mean \"price\"?",
            "price, kind",
            "",
        ),
    ),
    "three losses for two outputs": (
        two,
        lambda model: (model.compile("adam", ["mse"] * 3), model.fit([X, X], [Y, Y])),
        (
            ArgumentError,
            "compile: loss has another number of entries than the model has outputs",
            "3 entries",
            "2: price, kind",
            "",
        ),
    ),
    "three factors for two outputs": (
        two,
        lambda model: (
            model.compile("adam", "mse", loss_weights=[1, 2, 3]),
            model.fit([X, X], [Y, Y]),
        ),
        (
            ArgumentError,
            "compile: loss_weights has another number of entries than the model has outputs",
            "3 entries",
            "2: price, kind",
            "",
        ),
    ),
    "no loss": (
        net,
        lambda model: (model.compile("adam"), model.fit(X, Y)),
        (
            ArgumentError,
            'Training "net": there is nothing to minimize',
            "compile without a loss, and no layer that adds one",
            'for example model.compile(optimizer="adam", loss="mse")',
            "",
        ),
    ),
    "class numbers for a loss over rows": (
        net,
        lambda model: (model.compile("adam", "categorical_crossentropy"), model.fit(X, Y)),
        (
            LabelError,
            "categorical_crossentropy: each sample needs a row of 3 numbers, one for each class",
            "labels of shape (12,)",
            "rows such as [1, 0, 0]: a 1 at the class",
            "the loss sparse_categorical_crossentropy, if the labels are class numbers",
        ),
    ),
    "class numbers for a loss over quantities": (
        net,
        lambda model: (model.compile("adam", "mse"), model.fit(X, Y)),
        (
            ShapeError,
            "mean_squared_error: targets and predictions have different shapes",
            "y_true: (12,), y_pred: (12, 3)",
            "equal shapes: one target for each prediction",
            "if the targets are class numbers: the loss sparse_categorical_crossentropy; "
            "else check the units of the last layer",
        ),
    ),
    "softmax over one unit": (
        one_softmax,
        lambda model: model.fit(X, Y % 2),
        (
            ArgumentError,
            'Before training: the output of layer "last" does not suit the loss',
            "softmax over one unit, which is 1 whatever the input",
            "an activation and a loss that belong together",
            "Dense(1, activation='sigmoid') for two classes, or one unit for each class",
        ),
    ),
    "softmax twice": (
        net,
        lambda model: (
            model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True)),
            model.fit(X, Y),
        ),
        (
            ArgumentError,
            'Before training: the output of layer "last" does not suit the loss',
            "softmax in the layer, and SparseCategoricalCrossentropy(from_logits=True) "
            "applies it again",
            "an activation and a loss that belong together",
            "leave the activation out, or use SparseCategoricalCrossentropy(from_logits=False)",
        ),
    ),
    "sigmoid twice": (
        chance,
        lambda model: (
            model.compile("adam", losses.BinaryCrossentropy(from_logits=True)),
            model.fit(X, Y % 2),
        ),
        (
            ArgumentError,
            'Before training: the output of layer "last" does not suit the loss',
            "sigmoid in the layer, and BinaryCrossentropy(from_logits=True) applies it again",
            "an activation and a loss that belong together",
            "leave the activation out, or use BinaryCrossentropy(from_logits=False)",
        ),
    ),
    "sigmoid for exclusive classes": (
        three_sigmoids,
        lambda model: model.fit(X, Y),
        (
            ArgumentError,
            'Before training: the output of layer "last" does not suit the loss',
            "sigmoid with SparseCategoricalCrossentropy: the outputs of exclusive classes "
            "must sum to 1",
            "an activation and a loss that belong together",
            "activation='softmax', or BinaryCrossentropy for labels that exclude nothing",
        ),
    ),
    "no activation before a loss on probabilities": (
        logits,
        lambda model: model.fit(X, Y),
        (
            ArgumentError,
            'Before training: the output of layer "last" does not suit the loss',
            "linear outputs are no probabilities, which SparseCategoricalCrossentropy expects",
            "an activation and a loss that belong together",
            "SparseCategoricalCrossentropy(from_logits=True), or activation='softmax'",
        ),
    ),
    "no activation before a binary loss": (
        price,
        lambda model: (model.compile("adam", "binary_crossentropy"), model.fit(X, Y % 2)),
        (
            ArgumentError,
            'Before training: the output of layer "last" does not suit the loss',
            "linear outputs are no probabilities, which BinaryCrossentropy expects",
            "an activation and a loss that belong together",
            "BinaryCrossentropy(from_logits=True), or activation='sigmoid'",
        ),
    ),
    "three classes for a binary loss": (
        chance,
        lambda model: model.fit(X, Y),
        (
            LabelError,
            "binary_crossentropy: the label at index (2, 0) cannot be used",
            "2 at index (2, 0) (and 3 more like it)",
            "0 or 1, or a probability between them",
            "labels of -1 and 1: (y + 1) / 2",
        ),
    ),
    "an unknown activation": (
        net,
        lambda model: dense(3, "rellu"),
        (
            UnknownNameError,
            'Looking up an activation: there is none called "rellu"',
            '"rellu" did you mean "relu"?',
            "celu, elu, exponential, ...",
            "",
        ),
    ),
    "an unknown initializer": (
        net,
        lambda model: dense(3, kernel_initializer="glorot_unifrom"),
        (
            UnknownNameError,
            "Looking up a name: there is no initializer called 'glorot_unifrom'",
            "'glorot_unifrom' did you mean \"GlorotUniform\"?",
            "one of Constant, ...",
            'for one of your own, put @cp.register("glorot_unifrom") before its class',
        ),
    ),
    "a layer class in a Sequential": (
        net,
        lambda model: cp.Sequential([dense]),
        (
            ArgumentError,
            "Sequential: only layers can be stacked",
            "<class 'clearprop.layers.dense.Dense'>",
            "for example cp.layers.Dense(10)",
            "Dense(...)",
        ),
    ),
    "a layer in the place of a list": (
        net,
        lambda model: cp.Sequential(dense(3)),
        (
            ArgumentError,
            "Sequential: the layers come in a list",
            "<Dense 'dense'>",
            "for example [cp.layers.Dense(64, 'relu'), cp.layers.Dense(10)]",
            "",
        ),
    ),
    "an Input that is not the first": (
        net,
        lambda model: cp.Sequential([dense(3), given((4,))]),
        (
            ArgumentError,
            "Sequential: an Input can only stand first",
            "<symbolic f32(None, 4)> after 1 layer",
            "layers",
            "",
        ),
    ),
    "a layer twice in a Sequential": (
        net,
        lambda model: cp.Sequential([model.layers[0], model.layers[0]]),
        (
            ArgumentError,
            "Sequential: a layer can stand in the stack only once",
            "<Dense 'hidden'>",
            "another layer",
            "a functional model, cp.Model(inputs, outputs), can share layers",
        ),
    ),
    "arrays in the place of symbolic Tensors": (
        net,
        lambda model: cp.Model(X, X),
        (
            ArgumentError,
            "Model: its inputs are symbolic Tensors",
            "ndarray",
            "what cp.layers.Input(...) gives, and what layers make of it",
            "",
        ),
    ),
    "an Input that was forgotten": (
        net,
        lambda model: cp.Model(given((4,)), dense(1)(given((4,)))),
        (
            TraceError,
            "Model: an output depends on an Input that is not among the inputs",
            "<symbolic f32(None, 4)>",
            "every Input that the outputs depend on",
            "cp.Model([first, second], output)",
        ),
    ),
    "layers that do not fit": (
        net,
        lambda model: cp.Sequential([given((4,)), dense(3), cp.layers.Reshape((2, 2))]),
        (
            ShapeError,
            'Reshape "reshape": 3 numbers per sample do not fill (2, 2)',
            "x: f32[4, 3]",
            "lengths whose product is 3",
            "",
        ),
    ),
    "a symbolic Tensor in predict": (
        net,
        lambda model: model.predict(given((4,))),
        (
            TraceError,
            "Asking a symbolic Tensor for numbers: it has none, it only draws the model",
            "<symbolic f32(None, 4)>",
            "an operation or a layer",
            "build model = cp.Model(inputs, outputs) and call model.predict(x)",
        ),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_the_error_teaches(name: str) -> None:
    make, mistake, told = MISTAKES[name]
    assert_told(mistake, make(), told)


@pytest.mark.parametrize("name", [name for name, case in MISTAKES.items() if case[0] is net])
def test_the_model_can_be_compiled_and_trained_after_the_error(name: str) -> None:
    make, mistake, _ = MISTAKES[name]
    model = make()
    with pytest.raises(ClearPropError):
        mistake(model)
    model.compile("adam", "sparse_categorical_crossentropy")
    assert_trains_as_new(model, make)
