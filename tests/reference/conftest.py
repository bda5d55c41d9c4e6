"""What the other libraries do that is no fault of ours."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")  # read once, when Keras is first imported

# Keras hands tensors of PyTorch to NumPy, whose newest interface they do not have yet.
KNOWN = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"


def pytest_itemcollected(item: pytest.Item) -> None:
    item.add_marker(pytest.mark.filterwarnings(KNOWN))


@pytest.fixture(autouse=True, scope="session")
def _one_thread_each() -> None:
    """Other processes of the run have the other cores; threads would only wait for each other."""
    import torch

    torch.set_num_threads(1)
