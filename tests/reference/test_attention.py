"""Attention reads what Keras's and PyTorch's attention read: outputs, shares, gradients, masks."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np
import pytest
import torch

import clearprop as cp
from clearprop import layers
from clearprop.tensor import parameter
from tests.reference.pairs import WHOLE_BATCHES, assert_trains_alike, labels, numbers

RNG = np.random.default_rng(31)
TOLERANCE = {"rtol": 1e-5, "atol": 1e-5}
VALUES = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
QUERIES = np.array([[1, 1, 0], [1, 1, 1]], bool)
KEYS = np.array([[1, 1, 0, 1, 1], [1, 1, 1, 1, 0]], bool)
NOWHERE = np.ones((2, 3, 5), bool)
NOWHERE[0, 1] = False  # a query that may look at nothing

MULTI: list[dict[str, Any]] = [
    {"num_heads": 2, "key_dim": 3},
    {"num_heads": 3, "key_dim": 4, "value_dim": 2, "use_bias": False},
    {"num_heads": 2, "key_dim": 3, "output_shape": 7, "use_gate": True},
    {"num_heads": 2, "key_dim": 3, "output_shape": (2, 3), "attention_axes": (1,)},
    {"num_heads": 2, "key_dim": 3, "value_dim": 2, "sliding_window": 2, "dropout": 0.3},
]
GROUPED: list[dict[str, Any]] = [
    {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
    {"head_dim": 2, "num_query_heads": 3, "num_key_value_heads": 1, "use_gate": True},
    {"head_dim": 2, "num_query_heads": 2, "num_key_value_heads": 2, "sliding_window": 3},
]
KINDS = [
    *(("MultiHeadAttention", arguments) for arguments in MULTI),
    *(("GroupQueryAttention", arguments) for arguments in GROUPED),
]
CALLS: dict[str, dict[str, Any]] = {
    "plain": {},
    "causal": {"use_causal_mask": True},
    "shares": {"return_attention_scores": True},
    "mask": {"attention_mask": RNG.random((2, 3, 5)) < 0.7},
    "mask of all": {"attention_mask": np.tri(5, 3, dtype=bool).T[None], "use_causal_mask": True},
    "nowhere": {"attention_mask": NOWHERE},
    "nowhere, shares": {"attention_mask": NOWHERE, "return_attention_scores": True},
    "value mask": {"value_mask": VALUES},
    "all": {"value_mask": VALUES, "key_mask": KEYS, "use_causal_mask": True},
}
QUERY, VALUE, KEY = (
    RNG.normal(size=(2, n, f)).astype(np.float32) for n, f in ((3, 4), (5, 6), (5, 7))
)


def pair(cls: str, arguments: dict[str, Any], *inputs: Any) -> tuple[Any, Any]:
    """Our layer and Keras's, with the same weights, different from the first ones."""
    own, theirs = getattr(layers, cls)(**arguments), getattr(keras.layers, cls)(**arguments)
    theirs(*inputs)
    theirs.set_weights([RNG.uniform(-1, 1, w.shape) for w in theirs.weights])
    own(*inputs)
    own.set_weights(theirs.get_weights())
    return own, theirs


def assert_alike(own: Any, theirs: Any, inputs: Any, call: dict[str, Any]) -> None:
    """Outputs, shares and the gradients of both with respect to inputs and weights.

    What a query without keys reads does not depend on it, but PyTorch's fastest kernel gives it
    a derivative that depends on the number of keys: there only the outputs are compared.
    """
    leaves = [torch.tensor(x, requires_grad=True) for x in inputs]
    parameters = [parameter(x) for x in inputs]
    expected, found = theirs(*leaves, **call), own(*parameters, **call)
    if not isinstance(expected, tuple):
        expected, found = (expected,), (found,)
    total, torch_total = 0.0, 0.0
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), **TOLERANCE)
        direction = RNG.normal(size=tuple(other.shape)).astype(np.float32)
        total = total + (one * direction).sum()
        torch_total = torch_total + (other * torch.tensor(direction)).sum()
    if call.get("attention_mask") is NOWHERE:
        return
    torch_total.backward()
    total.backward()
    weights = zip(own.trainable_weights, theirs.trainable_weights, strict=True)
    for ours, leaf in [*zip(parameters, leaves, strict=True), *((w, v.value) for w, v in weights)]:
        np.testing.assert_allclose(ours.grad.numpy(), leaf.grad.numpy(), rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("cls", "arguments"), KINDS, ids=str)
def test_heads_read_what_keras_reads(cls: str, arguments: dict[str, Any], call: str) -> None:
    own, theirs = pair(cls, arguments, QUERY, VALUE, KEY)
    assert_alike(own, theirs, (QUERY, VALUE, KEY), CALLS[call])


@pytest.mark.parametrize(("cls", "arguments"), KINDS, ids=str)
def test_names_and_shapes_of_weights(cls: str, arguments: dict[str, Any]) -> None:
    own, theirs = pair(cls, arguments, QUERY, VALUE, KEY)
    assert [(w.path, w.shape) for w in own.weights] == [
        (w.path.split("/", 1)[-1], tuple(w.shape)) for w in theirs.weights
    ]


@pytest.mark.parametrize("arguments", [MULTI[0], MULTI[2], MULTI[4]], ids=str)
def test_heads_read_the_values_as_keys(arguments: dict[str, Any]) -> None:
    own, theirs = pair("MultiHeadAttention", arguments, QUERY, VALUE)
    assert_alike(own, theirs, (QUERY, VALUE), {})


@pytest.mark.parametrize("axes", [None, 1, 2, (1, 2), -2])
@pytest.mark.parametrize("returned", [False, True])
def test_attention_along_other_axes(axes: Any, returned: bool) -> None:
    query = RNG.normal(size=(2, 3, 4, 5)).astype(np.float32)
    value = query if axes not in {None, (1, 2)} else query[:, :2, :3]
    arguments = {"num_heads": 2, "key_dim": 3, "attention_axes": axes}
    own, theirs = pair("MultiHeadAttention", arguments, query, value)
    assert_alike(own, theirs, (query, value), {"return_attention_scores": returned})


def test_masks_come_from_the_inputs() -> None:
    def make(kit: Any) -> Any:
        words, more = (kit.layers.Input((n,), dtype="int32") for n in (4, 6))
        table = kit.layers.Embedding(5, 6, mask_zero=True)
        query, value = table(words), table(more)
        heads = kit.layers.MultiHeadAttention(2, 3)
        read = heads(query, value, use_causal_mask=True)
        pooled = kit.layers.GlobalAveragePooling1D()(read)
        return kit.Model([words, more], kit.layers.Dense(1)(pooled))

    x = [labels(5, n, seed=n).astype(np.int32) for n in (4, 6)]
    for array in x:
        array[:, 0] = 1  # causal attention needs a first step

    def compiled(kit: Any) -> dict[str, Any]:
        return {"optimizer": kit.optimizers.SGD(0.05), "loss": "mse"}

    assert_trains_alike(make, compiled, x, numbers(1))


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize(("cls", "arguments"), KINDS, ids=str)
def test_heads_learn_what_keras_learns(cls: str, arguments: dict[str, Any], causal: bool) -> None:
    steady = {name: value for name, value in arguments.items() if name != "dropout"}

    def make(kit: Any) -> Any:
        inputs = [kit.layers.Input(shape) for shape in ((3, 4), (5, 6), (5, 7))]
        given = [kit.layers.Dense(5, "tanh")(each) for each in inputs]
        read = getattr(kit.layers, cls)(**steady)(*given, use_causal_mask=causal)
        return kit.Model(inputs, kit.layers.Dense(1)(kit.layers.Flatten()(read)))

    def compiled(kit: Any) -> dict[str, Any]:
        return {"optimizer": kit.optimizers.SGD(0.02, momentum=0.5), "loss": "mse"}

    x = [numbers(3, 4), numbers(5, 6, seed=1), numbers(5, 7, seed=2)]
    assert_trains_alike(make, compiled, x, numbers(1, seed=3), **WHOLE_BATCHES)


@pytest.mark.parametrize("call", [{}, {"use_causal_mask": True}, {"mask": True}])
@pytest.mark.parametrize(
    ("cls", "arguments"),
    [
        ("Attention", {}),
        ("Attention", {"use_scale": True, "score_mode": "concat"}),
        ("AdditiveAttention", {}),
    ],
)
def test_one_head_reads_what_keras_reads(
    cls: str, arguments: dict[str, Any], call: dict[str, Any]
) -> None:
    query, value = QUERY, VALUE[..., :4].copy()
    if "mask" in call:
        call = {"mask": [QUERIES, VALUES]}
    own, theirs = pair(cls, arguments, [query, value])
    expected = theirs(
        [query, value],
        **{k: [torch.tensor(m) for m in v] if k == "mask" else v for k, v in call.items()},
        return_attention_scores=True,
    )
    found = own([query, value], **call, return_attention_scores=True)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other.detach().numpy(), **TOLERANCE)


@pytest.mark.parametrize("cls", ["MultiHeadAttention", "GroupQueryAttention"])
def test_arguments_and_defaults(cls: str) -> None:
    left_out = {"flash_attention", "kernel_constraint", "bias_constraint", "kwargs"}
    own = inspect.signature(getattr(layers, cls).__init__).parameters
    theirs = inspect.signature(getattr(keras.layers, cls).__init__).parameters
    plain = [parameter for name, parameter in theirs.items() if name not in left_out]
    ours = [parameter for name, parameter in own.items() if name != "options"]
    assert [p.name for p in ours] == [p.name for p in plain]
    assert [p.default for p in ours] == [p.default for p in plain]


# -- PyTorch, in float64 -------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [None, "attention", "keys", "causal"])
def test_heads_read_what_pytorch_reads_in_float64(masked: str | None) -> None:
    heads, features = 4, 8
    theirs = torch.nn.MultiheadAttention(features, heads, batch_first=True, dtype=torch.float64)
    query, value = RNG.normal(size=(2, 5, features)), RNG.normal(size=(2, 5, features))
    own = cp.layers.MultiHeadAttention(heads, features // heads, dtype="float64")
    own(query, value)
    with torch.no_grad():
        theirs.in_proj_bias.normal_()
        theirs.out_proj.bias.normal_()
    matrices = theirs.in_proj_weight.detach().numpy().reshape(3, heads, features // heads, features)
    biases = theirs.in_proj_bias.detach().numpy().reshape(3, heads, features // heads)
    weights = [part for n in range(3) for part in (matrices[n].transpose(2, 0, 1), biases[n])]
    out = theirs.out_proj.weight.detach().numpy().T.reshape(heads, features // heads, features)
    own.set_weights([*weights, out, theirs.out_proj.bias.detach().numpy()])

    forbidden = RNG.random((5, 5)) < 0.4
    forbidden[:, 2] = False
    lost = np.array([[0, 0, 0, 1, 1], [0, 1, 0, 0, 0]], bool)
    future = np.triu(np.ones((5, 5), bool), 1)
    torch_options, options = {
        None: ({}, {}),
        "attention": ({"attn_mask": torch.tensor(forbidden)}, {"attention_mask": ~forbidden}),
        "keys": ({"key_padding_mask": torch.tensor(lost)}, {"value_mask": ~lost}),
        "causal": ({"attn_mask": torch.tensor(future)}, {"use_causal_mask": True}),
    }[masked]

    leaves = [torch.tensor(x, requires_grad=True) for x in (query, value)]
    expected, shares = theirs(
        leaves[0], leaves[1], leaves[1], average_attn_weights=False, **torch_options
    )
    parameters = [parameter(x) for x in (query, value)]
    found, own_shares = own(*parameters, return_attention_scores=True, **options)
    np.testing.assert_allclose(found.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(own_shares.numpy(), shares.detach().numpy(), atol=1e-12)
    direction = RNG.normal(size=found.shape)
    (expected * torch.tensor(direction)).sum().backward()
    (found * direction).sum().backward()
    for ours, leaf in zip(parameters, leaves, strict=True):
        np.testing.assert_allclose(ours.grad.numpy(), leaf.grad.numpy(), rtol=1e-10, atol=1e-11)
