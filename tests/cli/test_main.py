"""The face of the command: help, version, and how it ends."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import clearprop
from clearprop.data import DATASETS
from tests.cli.running import invoke, run

COMMANDS = ["train", "predict", "evaluate", "summary", "show", "explain", "check", "bench"]


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


def test_version() -> None:
    result = run("--version")
    assert (result.returncode, result.stdout) == (0, f"clearprop {clearprop.__version__}\n")


def test_help_lists_the_commands_that_exist() -> None:
    result = invoke("--help")
    assert result.exit_code == 0
    listed = re.findall(r"^│ ([a-z]+) ", plain(result.output), flags=re.MULTILINE)
    assert listed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help_with_an_example(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert f"clearprop {command} " in plain(result.output).partition("Examples")[2]


def test_train_names_every_shipped_set() -> None:
    told = " ".join(plain(invoke("train", "--help").output).replace("│", " ").split())
    assert ", ".join(["digits", *(name for name in DATASETS if name != "digits")]) in told


def test_no_command_shows_help() -> None:
    result = invoke()
    assert result.exit_code == 2
    assert "Usage: clearprop" in plain(result.output)


def test_an_unknown_command_is_answered_with_the_nearest() -> None:
    result = run("tran", "digits")
    assert result.returncode == 2
    assert "Did you mean 'train'?" in plain(result.stderr)


def test_help_does_not_wait_for_the_library() -> None:
    script = (
        "import sys; sys.argv = ['clearprop', 'train', '--help']\n"
        "from clearprop.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'polars', 'PIL', 'llvmlite', 'matplotlib', 'safetensors'}\n"
        "late = {f'clearprop.{room}' for room in ('train', 'layers', 'data', 'losses')}\n"
        "print('came along:', sorted(set(sys.modules) & (heavy | late)))\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.stdout.endswith("came along: []\n"), result.stderr


def test_an_error_is_told_without_traceback(tmp_path: Path) -> None:
    result = run("summary", str(tmp_path / "none.safetensors"))
    assert result.returncode == 2
    assert result.stdout == ""
    assert "none.safetensors" in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_where_an_error_arose(tmp_path: Path) -> None:
    result = run("summary", str(tmp_path / "none.safetensors"), "--debug")
    assert result.returncode == 2
    assert "Traceback" in result.stderr


def test_output_that_nobody_reads_any_more_is_no_error_to_tell(here: Path) -> None:
    del here
    script = "set -o pipefail; " + " ".join(
        f"'{word}'"
        for word in (sys.executable, "-c", "from clearprop.cli.main import main; main()")
    )
    piped = f"{script} predict digits.safetensors digits | head -n 1"
    result = subprocess.run(["bash", "-c", piped], capture_output=True, text=True)
    assert result.stdout == "image,predicted class,probability\n"
    assert "Traceback" not in result.stderr
