"""clearprop summary, show and check: what is in a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from clearprop.cli.looking import layer_outputs
from clearprop.functions import GradientReport
from clearprop.layers import Dense, Input
from clearprop.train import Model, Sequential, load_model
from tests.cli.running import invoke


def bare(path: Path) -> None:
    """A model that Python has saved, without notes."""
    Sequential([Input((3,)), Dense(4, activation="tanh"), Dense(2)]).save(path)


def test_summary_tells_layers_origin_and_score(here: Path) -> None:
    del here
    result = invoke("summary", "houses.safetensors")
    assert result.exit_code == 0
    for told in (
        "3,201 parameters (12.5 KiB), 3,201 trainable, 0 not",
        "source                    houses.csv",
        "160 to train on, 40 to tell when to stop, 50 held out",
        "test mean absolute error  ",
        "test R2                   0.",
        "city       category         4  one-hot: Aachen, Bonn, Celle, Dresden; new: all 0",
    ):
        assert told in result.output.replace(str(Path(__file__).parents[2] / "examples") + "/", "")


def test_summary_needs_no_notes(here: Path) -> None:
    bare(here / "bare.safetensors")
    result = invoke("summary", "bare.safetensors")
    assert result.exit_code == 0
    assert "26 parameters" in result.output
    assert "trained on" not in result.output


def test_show_draws_a_sample_through_the_layers(here: Path) -> None:
    del here
    result = invoke("show", "digits.safetensors", "--sample", "5")
    assert result.exit_code == 0, result.output
    lines = [line.rstrip() for line in result.output.splitlines()]
    assert lines[0] == "sample 5"
    assert lines[1] == "          ▓▓"
    assert "  input 8 by 8 by 1  from 0 to 1, 53% are 0" in lines
    assert "  shading: from 0 to the largest number of the layer, signs left out: ░▒▓█" in lines
    layers = [line for line in lines if line.startswith("  ▼ ")]
    assert [line.split()[1] for line in layers[:-1]] == ["flatten", "dense", "dropout", "dense_1"]
    assert layers[-1] == "  ▼ softmax"
    assert sum("the true class" in line for line in lines) == 1


def test_show_tells_the_value_of_a_row(here: Path) -> None:
    del here
    result = invoke("show", "houses.safetensors", "houses.csv", "--sample", "2")
    assert result.output.startswith("row 3\n  area       187.8\n")
    assert "  ▼ price: " in result.output


def test_show_draws_a_random_sample_where_nothing_is_known(here: Path) -> None:
    bare(here / "bare.safetensors")
    result = invoke("show", "bare.safetensors")
    assert result.exit_code == 0, result.output
    assert result.stderr == "note: the model's data are not here: the sample is drawn at random\n"
    assert invoke("show", "bare.safetensors", "iris").exit_code == 2


def test_show_knows_its_samples(here: Path) -> None:
    del here
    for number in ("0", "151"):
        result = invoke("show", "iris.safetensors", "--sample", number)
        assert result.exit_code == 2
        assert "needed: a number from 1 to 150" in result.stderr


def test_what_the_layers_give_is_what_the_model_computes(here: Path) -> None:
    model = load_model(here / "iris.safetensors")
    x = np.random.default_rng(0).normal(size=(2, 4)).astype(np.float32)
    seen = layer_outputs(model, x)
    assert [layer.name for layer, _ in seen] == [layer.name for layer in model.layers]
    np.testing.assert_allclose(seen[-1][1], model.predict(x), rtol=1e-6)
    first = np.maximum(x @ model.get_weights()[0] + model.get_weights()[1], 0)
    np.testing.assert_allclose(seen[0][1], first, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["digits.safetensors"], "on 8 samples, sample 1 and what follows it"),
        (["houses.safetensors", "houses.csv"], "on 8 samples, row 2 and what follows it"),
        (["bare.safetensors"], "on 8 samples drawn at random"),
    ],
)
def test_check_measures_the_gradients(here: Path, words: list[str], first: str) -> None:
    bare(here / "bare.safetensors")
    result = invoke("check", *words)
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == first
    assert "a derivative" in lines[1]
    assert lines[-1] == "the gradients are right"
    assert sum("kernel" in line for line in lines) >= 2


def test_a_wrong_gradient_ends_with_1(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    del here

    def doubtful(*_: object, **__: object) -> GradientReport:
        report = true_check(load_model("iris.safetensors"), np.zeros((1, 4), np.float32))
        return GradientReport(report.rows, tolerance=-1.0)

    true_check = Model.check_gradients
    monkeypatch.setattr(Model, "check_gradients", doubtful)
    result = invoke("check", "iris.safetensors")
    assert result.exit_code == 1
    assert result.output.endswith("a gradient is wrong\n")


def test_explain_tells_the_stages(here: Path) -> None:
    bare(here / "bare.safetensors")
    result = invoke("explain", "bare.safetensors", "--batch", "5")
    assert result.exit_code == 0, result.output
    for told in ("Program: ", "f32[5, 3]", "Groups: ", "Schedule: ", "Memory: "):
        assert told in result.output
    assert "LLVM" not in result.output
    assert "define void @" in invoke("explain", "bare.safetensors", "--llvm").output


def test_explain_needs_a_sample(here: Path) -> None:
    bare(here / "bare.safetensors")
    result = invoke("explain", "bare.safetensors", "--batch", "0")
    assert result.exit_code == 2
    assert "a batch has at least one sample" in result.output
