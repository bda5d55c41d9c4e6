"""The table that ``model.summary()`` prints, to the letter."""

from __future__ import annotations

import numpy as np
import pytest

import clearprop as cp

dense, given = cp.layers.Dense, cp.layers.Input


def printed(model: cp.Model, capsys: pytest.CaptureFixture[str]) -> str:
    model.summary()
    return capsys.readouterr().out


def digits() -> cp.Model:
    stack = [
        *(given((28, 28)), cp.layers.Flatten(), dense(100, "relu")),
        *(cp.layers.BatchNormalization(), cp.layers.Dropout(0.5), dense(10)),
    ]
    return cp.Sequential(stack, name="digits")


DIGITS = """\
digits (Sequential)

layer                type                output shape  parameters       size
───────────────────  ──────────────────  ────────────  ──────────  ─────────
flatten              Flatten             (None, 784)            0        0 B
dense                Dense               (None, 100)       78,500  306.6 KiB
batch_normalization  BatchNormalization  (None, 100)          400    1.6 KiB
dropout              Dropout             (None, 100)            0        0 B
dense_1              Dense               (None, 10)         1,010    3.9 KiB

79,910 parameters (312.1 KiB), 79,710 trainable, 200 not
159,410 arithmetic operations for one sample forward
"""


def test_a_model_with_an_input_is_told_completely(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(digits(), capsys) == DIGITS


def test_training_changes_nothing_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    model = digits()
    model.compile("sgd", "mse")
    model.fit(np.ones((5, 28, 28)), np.ones((5, 10)), verbose=0)
    assert printed(model, capsys) == DIGITS


def test_frozen_layers_are_marked(capsys: pytest.CaptureFixture[str]) -> None:
    model = digits()
    model.layers[1].trainable = False
    lines = printed(model, capsys).splitlines()
    assert lines[5] == (
        "dense                Dense               (None, 100)       78,500  306.6 KiB  frozen"
    )
    assert [line for line in lines if line.endswith("frozen")] == [lines[5]]
    assert lines[-2] == "79,910 parameters (312.1 KiB), 1,210 trainable, 78,700 not"


def test_a_model_that_saw_nothing_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    model = cp.Sequential([dense(3)])
    assert (
        printed(model, capsys)
        == """\
sequential (Sequential)

layer  type   output shape  parameters  size
─────  ─────  ────────────  ──────────  ────
dense  Dense  ?                      0   0 B

0 parameters (0 B), 0 trainable, 0 not
The weights are made when the model first sees an input.
"""
    )
    model.compile("sgd", "mse")
    model.fit(np.ones((7, 2)), np.ones((7, 3)), verbose=0)
    assert "dense  Dense  (None, 3)              9  36 B" in printed(model, capsys)


def test_models_in_models_and_lengths_that_vary(capsys: pytest.CaptureFixture[str]) -> None:
    left, right = given((4,), name="left"), given((None, 4), name="right")
    shared = dense(3, name="shared")
    inner = cp.Sequential([given((3,)), dense(2, "relu"), dense(2)], name="inner")
    model = cp.Model([left, right], {"p": inner(shared(left)), "q": shared(right)}, name="two")
    assert (
        printed(model, capsys)
        == """\
two (Functional)

layer   type        output shape     parameters  size
──────  ──────────  ───────────────  ──────────  ────
shared  Dense       (None, None, 3)          15  60 B
inner   Sequential  (None, 2)                14  56 B

29 parameters (116 B), 29 trainable, 0 not
"""
    )
