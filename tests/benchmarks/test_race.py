"""The race: processes that answer, tables, and the same tasks for everybody."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import jax_side, race, report
from benchmarks.cases import arrays_of, cases, program_of
from benchmarks.installed import needed, size_bytes
from benchmarks.process import Entrant, Side, SideError
from benchmarks.race import Race, Result
from benchmarks.workloads import (
    INFERENCE,
    WORKLOADS,
    inference_batch,
    inference_weights,
    make_data,
    sinusoids,
)
from clearprop.glass.roofline import training_flops
from clearprop.ir import meaning
from clearprop.ir.primitive import REGISTRY
from clearprop.layers import SinusoidalPositionalEncoding
from clearprop.models import lenet, mlp
from clearprop.models import workloads as own
from clearprop.models.standard import workload_model


def test_the_workloads_are_those_of_the_package() -> None:
    assert list(WORKLOADS) == list(own.WORKLOADS)
    assert all(str(WORKLOADS[name]) == str(own.WORKLOADS[name]) for name in WORKLOADS)


def test_the_data_can_be_learned_and_repeated() -> None:
    x, y = make_data(WORKLOADS["playground"])
    again, _ = make_data(WORKLOADS["playground"])
    assert (x == again).all()
    assert x.dtype == np.float32
    assert set(y.tolist()) == {0, 1}


@pytest.mark.parametrize("name", ["playground", "tabular", "mnist", "lenet", "lstm"])
def test_the_flops_told_are_those_of_the_step(name: str) -> None:
    workload = own.WORKLOADS[name]
    few = workload.batch
    x, y = (array[:few] for array in own.make_data(workload))
    flops = training_flops(workload_model(workload, executor="reference"), x, y, few)
    assert flops == pytest.approx(workload.flops, rel=0.12)


@pytest.mark.parametrize("name", INFERENCE)
def test_weights_fit_the_nets_that_predict(name: str) -> None:
    one = INFERENCE[name]
    if one.kind == "lenet":
        model = lenet(one.input_shape, one.classes, one.units[:2], one.units[2])
    else:
        model = mlp(one.input_shape, one.classes, one.units)
    model.set_weights(inference_weights(one))
    assert inference_batch(one).shape == (one.batch, *one.input_shape)


def test_sinusoids_are_those_of_the_layer() -> None:
    layer = SinusoidalPositionalEncoding()
    zeros = np.zeros((1, 5, 8), np.float32)
    np.testing.assert_allclose(sinusoids(5, 8), layer(zeros).numpy()[0], atol=1e-6)


@pytest.mark.parametrize("name", WORKLOADS)
def test_weights_written_for_jax_are_as_many_as_ours(name: str) -> None:
    workload = WORKLOADS[name]
    model = workload_model(workload, executor="reference")
    ours = sum(weight.size for weight in model.trainable_weights)
    theirs = sum(array.size for array in jax_side.first_weights(workload).values())
    assert ours == theirs


# -- processes -----------------------------------------------------------------------------------


def test_a_side_trains_as_often_as_it_is_told() -> None:
    entrant = Entrant("clearprop_side", "native", "ClearProp", sys.executable)
    with Side(entrant, "playground", threads=1) as side:
        assert side.told["version"].startswith("ClearProp ")
        assert side.told["first_seconds"] > 0
        assert side.run(2) > 0
        assert side.peak() > 1e8
        assert side.last["peak_bytes"] >= side.last["resident_bytes"]


def test_a_side_that_fails_says_why() -> None:
    entrant = Entrant("no_such_side", "native", "Nobody", sys.executable)
    with pytest.raises(SideError, match=r"Nobody: .*no_such_side"):
        Side(entrant, "playground", threads=1)


def test_unknown_workloads_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        race.main(["lennet"])
    assert "unknown: lennet; there are playground, tabular" in capsys.readouterr().err


# -- tables --------------------------------------------------------------------------------------


def _race(task: str) -> Race:
    told = {
        "first_seconds": 1.5, "import_seconds": 0.5, "version": "Other 1.0", "outputs": [0.0],
    }  # fmt: skip
    memory = {"resident_bytes": 2e8, "peak_bytes": 3e8}
    best = Result("Other", told, [1000.0, 2000.0, 1000.0], memory)
    ours = Result(
        "ClearProp",
        told | {"version": "ClearProp 0", "cold_seconds": 2.0},
        [3000.0, 4000.0, 2000.0],
        memory,
    )
    failed = Result("Third", error="it broke")
    return Race(task, [best, failed], best, ours, [4e11, 5e11, 3e11], [0.0, 0.1, 0.2])


def test_ratios_are_those_of_the_rounds() -> None:
    one = _race("lenet")
    assert one.ratios == [3.0, 2.0, 2.0]
    assert one.share == pytest.approx(3000 * 25e6 / 4e11)


def test_results_say_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "_sizes", lambda python, names: dict.fromkeys(names, 10**6))
    options = SimpleNamespace(threads=2, rounds=3, quick=False, peers_python="python")
    text = report.results_text(options, [_race("lenet")], [_race("mlp-1")])  # type: ignore[arg-type]
    assert "| lenet | Other | 1,000 | 3,000 | 2.00 | 2.00-3.00 | 75.0 | 400 | 19% | 0.10 |" in text
    assert "| lenet | 2.00 | 1.50 | 1.50 |  |" in text
    assert "| lenet | 200 / 300 | 200 / 300 |  |" in text
    assert "| mlp | 1 | Other | 1,000.0 | 333.3 | 2.00 |" in text
    assert "| lenet | 1,000 | failed |" in text
    assert "2 threads" in text
    assert "other processes had up to 0.2 cores" in text
    assert "| torch | 1 |" in text


def test_what_a_package_needs_is_found() -> None:
    assert {"rich", "pygments"} <= needed("rich")
    assert needed("no-such-package") == set()
    assert size_bytes("rich") > 10**5


# -- primitives ----------------------------------------------------------------------------------


def test_every_primitive_has_a_case() -> None:
    assert [case.name for case in cases(100)] == sorted(REGISTRY)


@pytest.mark.parametrize("case", cases(20), ids=lambda case: case.name)
def test_cases_can_be_computed(case: object) -> None:
    assert meaning.run(program_of(case), list(arrays_of(case)))  # type: ignore[arg-type]
