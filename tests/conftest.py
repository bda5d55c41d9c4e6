"""How every test runs: the same examples each time, no clocks, no screens."""

from __future__ import annotations

import os
import tempfile

import hypothesis
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")  # read once, when Keras is first imported
os.environ["MPLBACKEND"] = "Agg"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # each core has a process of the run

hypothesis.settings.register_profile("house", deadline=None, derandomize=True)
hypothesis.settings.load_profile("house")


def pytest_configure(config: pytest.Config) -> None:
    """Compile each Program once: the processes of a run share their code, and no other has it."""
    if not hasattr(config, "workerinput"):  # in the process that starts the others
        folder = tempfile.TemporaryDirectory(prefix="clearprop-code-")
        config.add_cleanup(folder.cleanup)
        os.environ["CLEARPROP_CACHE"] = folder.name
