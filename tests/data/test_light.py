"""The room is light: its guests come when they are needed."""

from __future__ import annotations

import subprocess
import sys


def test_importing_the_room_and_its_sets_brings_no_guest() -> None:
    code = (
        "import sys, clearprop.data as data; data.load_digits(); data.as_table({'a': [1, 'x']}); "
        "print({'polars', 'PIL', 'pandas'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
