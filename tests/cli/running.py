"""Commands, run in this process, in one of their own, or on a terminal."""

from __future__ import annotations

import csv
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from fcntl import ioctl
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from clearprop.cli.main import app

COMMAND = [sys.executable, "-c", "from clearprop.cli.main import main; main()"]


def invoke(*words: str) -> Any:
    """The command, in this process."""
    return CliRunner().invoke(app, list(words), prog_name="clearprop")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, its output in pipes."""
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)


def run_on_terminal(*words: str, columns: int = 100) -> tuple[int, str]:
    """The command on a terminal: its exit code, and all that it has written."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", COLUMNS=str(columns))
        os.execv(COMMAND[0], [*COMMAND, *words])
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    written = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other side is gone
            break
        if not part:
            break
        written += part
    os.close(terminal)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), written.decode()


def read_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def write_rows(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
