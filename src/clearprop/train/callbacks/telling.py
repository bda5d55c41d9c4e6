"""What callbacks tell the user while training goes on."""

from __future__ import annotations

import sys
import warnings

from clearprop.ir.place import here


def say(line: str) -> None:
    """Write a line where the progress of training is written."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def warn(message: str) -> None:
    """Warn at the user's own line."""
    place = here()
    warnings.warn_explicit(message, UserWarning, place.file, place.line)
