"""The table of layers of attention that are called on one input or on a list."""

from __future__ import annotations

from tests.layers.case import Case

READ = ((2, 3, 4), (2, 5, 4))
READ_BY_KEY = ((2, 3, 4), (2, 5, 6), (2, 5, 4))
STEPS, GRID = ((2, 5, 4),), ((2, 3, 5, 4),)
TO_HEADS = {"equation": "abc,cde->abde", "output_shape": (None, 3, 2)}

ATTENTION_CASES = [
    Case("EinsumDense", {"equation": "ab,bc->ac", "output_shape": 5}),
    Case("EinsumDense", {**TO_HEADS, "bias_axes": "de", "bias_initializer": "ones"}, STEPS),
    Case("EinsumDense", {**TO_HEADS, "bias_axes": "d", "activation": "tanh"}, STEPS),
    Case("EinsumDense", {"equation": "abcd,cde->abe", "output_shape": (None, 6)}, GRID),
    Case(
        "EinsumDense",
        {"equation": "abc,bd->adc", "output_shape": (3, None), "bias_axes": "d"},
        STEPS,
    ),
    Case("EinsumDense", {"equation": "...x,xy->...y", "output_shape": 3, "bias_axes": "y"}, GRID),
    Case(
        "EinsumDense",
        {"equation": "...x,xy->...y", "output_shape": 3, "kernel_initializer": "he_normal"},
    ),
    Case("EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 3}, GRID),
    Case(
        "EinsumDense",
        {"equation": "ab...,bc->ac...", "output_shape": 3, "bias_axes": "c"},
        STEPS,
    ),
    Case("Attention", {}, READ),
    Case("Attention", {"use_scale": True}, READ_BY_KEY),
    Case("Attention", {"score_mode": "concat"}, READ),
    Case("Attention", {"score_mode": "concat", "use_scale": True}, READ_BY_KEY),
    Case("AdditiveAttention", {}, READ_BY_KEY),
    Case("AdditiveAttention", {"use_scale": False}, READ),
    Case("SinusoidalPositionalEncoding", {}, STEPS),
    Case("SinusoidalPositionalEncoding", {"max_wavelength": 100.0}, ((2, 3, 4, 5),)),
    Case("LearnedPositionalEncoding", {"sequence_length": 5}, STEPS),
    Case(
        "LearnedPositionalEncoding",
        {"sequence_length": 9, "embeddings_initializer": "random_normal"},
        STEPS,
    ),
]
