"""Scalers: their formulas, their inverses, and what they do where a formula has no answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from clearprop.data import (
    DecimalScaler,
    MinMaxScaler,
    Scaler,
    ZScoreScaler,
    outliers,
    read_csv,
    scaler_from_config,
)
from clearprop.errors import DataError, ModelFileError, NotBuiltError, ShapeError

each_scaler = pytest.mark.parametrize("kind", [MinMaxScaler, ZScoreScaler, DecimalScaler])
COLUMNS = arrays(
    np.float64, st.tuples(st.integers(1, 8), st.integers(1, 3)), elements=st.floats(-1e6, 1e6)
)


@each_scaler
@given(x=COLUMNS)
def test_the_inverse_undoes_the_scaling(kind: type[Scaler], x: np.ndarray) -> None:
    scaler = kind().fit(x)
    np.testing.assert_allclose(scaler.inverse(scaler.transform(x)), x, atol=1e-9, rtol=1e-12)


@given(x=COLUMNS)
def test_scaled_training_data_are_where_they_are_promised(x: np.ndarray) -> None:
    scaled = MinMaxScaler().fit(x).transform(x)
    assert scaled.min() >= 0
    assert scaled.max() <= 1
    assert (np.abs(DecimalScaler().fit(x).transform(x)) < 1).all()
    constant = x.min(axis=0) == x.max(axis=0)
    assert (ZScoreScaler().fit(x).transform(x)[:, constant] == 0).all()
    assert (scaled[:, constant] == 0).all()


def test_z_scores_have_mean_0_and_deviation_1() -> None:
    x = np.random.default_rng(0).normal(5, [1, 100, 1e-4], (200, 3))
    scaled = ZScoreScaler().fit(x).transform(x)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1)


@pytest.mark.parametrize(
    ("largest", "power"), [(0, 0), (0.5, 0), (1, 1), (9.99, 1), (10, 2), (-986, 3), (1000, 4)]
)
def test_decimal_scaling_takes_the_smallest_power(largest: float, power: int) -> None:
    scale = DecimalScaler().fit([[0.0], [largest]]).scale
    assert scale is not None
    assert scale.tolist() == [10.0**power]


@each_scaler
def test_missing_values_are_left_out_and_stay(kind: type[Scaler]) -> None:
    with_gap, without = np.array([[1.0], [np.nan], [4.0]]), np.array([[1.0], [4.0]])
    scaled = kind().fit(with_gap).transform(with_gap)
    assert np.isnan(scaled[1, 0])
    np.testing.assert_array_equal(scaled[[0, 2]], kind().fit(without).transform(without))
    empty = np.full((3, 1), np.nan)
    assert np.isnan(kind().fit(empty).transform(empty)).all()
    assert np.isfinite(kind().fit(empty).transform(without)).all()


@each_scaler
def test_the_last_axis_counts_features(kind: type[Scaler]) -> None:
    images = np.random.default_rng(0).uniform(0, 255, (5, 4, 4, 3))
    flat = kind().fit(images.reshape(-1, 3)).transform(images.reshape(-1, 3))
    np.testing.assert_array_equal(kind().fit(images).transform(images), flat.reshape(images.shape))
    line = images.reshape(-1)
    column = kind().fit(line[:, None]).transform(line[:, None])
    np.testing.assert_array_equal(kind().fit(line).transform(line), column[:, 0])


def test_element_types() -> None:
    scaler = MinMaxScaler().fit(np.array([[0], [255]], np.uint8))
    assert scaler.transform(np.array([[255]], np.uint8)).dtype == np.float32
    assert scaler.transform(np.array([[255.0]])).dtype == np.float64


@each_scaler
def test_a_config_restores_the_scaler(kind: type[Scaler]) -> None:
    x = np.random.default_rng(0).normal(size=(9, 2))
    scaler = kind().fit(x)
    again = scaler_from_config(json.loads(json.dumps(scaler.to_config())))
    assert type(again) is kind
    np.testing.assert_array_equal(again.transform(x), scaler.transform(x))


@pytest.mark.parametrize(
    "config",
    [
        None,
        [],
        {},
        {"scaler": "min_max", "shift": [0.0]},
        {"scaler": "eval", "shift": [0.0], "scale": [1.0]},
        {"scaler": ["min_max"], "shift": [0.0], "scale": [1.0]},
        {"scaler": "min_max", "shift": [0.0], "scale": [0.0]},
        {"scaler": "min_max", "shift": [0.0], "scale": [float("nan")]},
        {"scaler": "min_max", "shift": [10**400], "scale": [1.0]},
        {"scaler": "min_max", "shift": [True], "scale": [1.0]},
        {"scaler": "min_max", "shift": ["0"], "scale": [1.0]},
        {"scaler": "min_max", "shift": [0.0, 1.0], "scale": [1.0]},
        {"scaler": "min_max", "shift": [], "scale": []},
        {"scaler": "min_max", "shift": "00", "scale": [1.0]},
        {"scaler": "min_max", "shift": [0.0], "scale": [1.0], "code": "import os"},
    ],
)
def test_a_malformed_config_is_refused(config: object) -> None:
    with pytest.raises(ModelFileError, match="scaler"):
        scaler_from_config(config)


def test_mistakes_are_explained() -> None:
    with pytest.raises(NotBuiltError, match=r"MinMaxScaler\(\)\.fit\(x_train\)"):
        MinMaxScaler().transform([[1.0]])
    with pytest.raises(ShapeError, match="4 features, the scaler was fitted on 2"):
        MinMaxScaler().fit(np.ones((3, 2))).transform(np.ones((3, 4)))
    with pytest.raises(DataError, match=r"x\[1, 0\] = inf"):
        ZScoreScaler().fit([[1.0], [np.inf]])
    with pytest.raises(DataError, match="it is empty"):
        ZScoreScaler().fit(np.zeros((0, 2)))
    with pytest.raises(ShapeError, match="single number"):
        ZScoreScaler().fit(3.0)


def test_outliers_are_counted_by_both_rules() -> None:
    x = np.column_stack([[*range(20), 100], [0.0] * 10 + [np.nan] * 11])
    report = outliers(x, ["age", "flat"])
    age, flat = report.columns
    # quartiles of 0..19 and 100 are 5 and 15; mean 13.8..., the 100 is 4.2 deviations away
    assert (age.low, age.high, age.by_quartiles, age.by_z) == (-10, 30, 1, 1)
    assert (age.farthest, age.farthest_row) == (100, 20)
    assert (flat.count, flat.by_quartiles, flat.by_z) == (10, 0, 0)
    assert (
        str(report)
        == """\
column  values  usual      outside  beyond 3 std  farthest
──────  ──────  ─────────  ───────  ────────────  ─────────────
age         21  -10 to 30        1             1  100 in row 20
flat        10  0 to 0           0             0  0 in row 0"""
    )


def test_outliers_of_a_table_name_its_rows(tmp_path: object) -> None:
    path = f"{tmp_path}/a.csv"
    with open(path, "w", encoding="utf-8") as file:
        file.write("name,size\n" + "".join(f"n{i},{i % 3}\n" for i in range(20)) + "x,500\n")
    (size,) = outliers(read_csv(path)).columns
    assert (size.name, size.farthest_row) == ("size", 22)
