"""clearprop bench: how fast a training is, and what holds it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from clearprop.cli import benching
from clearprop.layers import Dense, Input
from clearprop.models.workloads import WORKLOADS
from clearprop.train import Sequential
from tests.cli.running import invoke


@pytest.fixture(autouse=True)
def in_a_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("clearprop.glass.roofline.STEADY_SECONDS", 0.02)
    monkeypatch.setattr("clearprop.glass.roofline._COUNTED_SECONDS", 0.01)


def test_a_workload_is_told_kernel_by_kernel() -> None:
    result = invoke("bench", "playground", "--threads", "1", "--kernels", "3")
    assert result.exit_code == 0, result.output
    for told in (
        "playground: training on 1 thread, batches of 10",
        "samples in a second",
        "reached",
        "one step on one thread, kernel by kernel",
        " others",
        "1 thread: multiply-adds",
    ):
        assert told in result.stdout
    assert "counting the cycles of each kernel ..." in result.stderr


def test_a_model_file_is_measured_on_samples_at_random(here: Path) -> None:
    del here
    for name in ("houses", "iris"):
        result = invoke("bench", f"{name}.safetensors", "--threads", "1", "--batch-size", "16")
        assert result.exit_code == 0, result.output
        assert f"{name}.safetensors: training on 1 thread, batches of 16" in result.stdout


def test_all_workloads_are_told_in_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benching, "WORKLOADS", {"playground": WORKLOADS["playground"]})
    result = invoke("bench", "--threads", "1")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[2].startswith("playground     10")


def test_what_is_not_there_is_told() -> None:
    result = invoke("bench", "lennet")
    assert result.exit_code == 2
    assert 'found:  "lennet" did you mean "lenet"?' in result.stderr


def test_a_model_without_a_loss_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bare.safetensors"
    Sequential([Input((3,)), Dense(2)]).save(path)
    result = invoke("bench", str(path))
    assert result.exit_code == 2
    assert "it is not known what to train it on" in result.stderr
