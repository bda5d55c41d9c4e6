"""What to type before a command: ``clearprop`` if the shell finds it, else as it was started."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path

NAME = "clearprop"
_COMMAND = re.compile(rf"\b{NAME} (?=(?:train|predict|evaluate|summary|show|check|explain|bench)\b)")
_EXAMPLES = ("houses.csv", "examples/houses.csv")


def program() -> str:
    """The words that start this program in the shell that it was started from."""
    if shutil.which(NAME):
        return NAME
    started = Path(sys.argv[0])
    if started.name == "__main__.py" and started.parent.name == NAME:
        return f"{shlex.quote(sys.executable)} -m {NAME}"
    return shlex.quote(sys.argv[0]) if started.stem == NAME else NAME


def as_typed(text: str) -> str:
    """A text whose ``clearprop train`` and other commands run as they stand."""
    return _COMMAND.sub(lambda _: f"{program()} ", text)


def table_example() -> str:
    """A command that trains on a table: the example, if it lies here, else one to fill in."""
    for name in _EXAMPLES:
        if Path(name).is_file():
            return f"{program()} train {name} --target price"
    return f"{program()} train your.csv --target COLUMN"
