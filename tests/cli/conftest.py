"""Models that several tests use, trained once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.running import invoke
from tests.house.plan import ROOT

HOUSES = ROOT / "examples" / "houses.csv"


@pytest.fixture(autouse=True)
def plain_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """No color that the caller's environment asks for, and a width that is known."""
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm-256color")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with houses.safetensors, iris.safetensors and digits.safetensors."""
    folder = tmp_path_factory.mktemp("models")
    for source, options in (
        (str(HOUSES), ["--target", "price"]),
        ("iris", ["--epochs", "60"]),
        ("digits", ["--epochs", "3", "--no-augment"]),
    ):
        out = folder / f"{Path(source).stem}.safetensors"
        result = invoke("train", source, *options, "--out", str(out), "--quiet")
        assert result.exit_code == 0, result.output
    return folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: nothing is in it."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def here(tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: houses.csv and the trained models are in it."""
    shutil.copy(HOUSES, tmp_path)
    for model in models.iterdir():
        shutil.copy(model, tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path
