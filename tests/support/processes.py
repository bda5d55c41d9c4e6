"""Python scripts in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from tests.house.plan import ROOT

_SECONDS = 120
# Whoever ignores Ctrl-C, as processes that run tests side by side do, hands that on.
_HEARS_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"


def run_script(script: str, **changes: str) -> str:
    """What a script writes to its standard output; it must end well, and say nothing else.

    Args:
        script: the source; it may import the package and ``tests``.
        changes: of its environment.
    """
    ended = subprocess.run(
        _command(script), env=environment(changes),
        capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, f"exit {ended.returncode}\n{ended.stdout}\n{ended.stderr}"
    assert ended.stderr == ""
    return ended.stdout


def start_script(script: str, **changes: str) -> subprocess.Popen[str]:
    """A script that runs on its own; see ``run_script``."""
    return subprocess.Popen(
        _command(script), env=environment(changes),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def _command(script: str) -> list[str]:
    return [sys.executable, "-W", "error", "-X", "faulthandler", "-c", _HEARS_CTRL_C + script]


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with changes, in which the package is found."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {**os.environ, "PYTHONPATH": path, **changes}
