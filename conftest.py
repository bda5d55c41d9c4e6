"""What pytest may collect here: a file whose guests are not installed stays out.

A room may have guests of an extra that is not installed; its doctests are collected only where
they are.  `tests/reference` needs PyTorch and Keras, and the run's first lines say when it is
left out.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path

import pytest

from tests.house.plan import ROOT, SOURCE, guests_of

REFERENCE = ROOT / "tests" / "reference"
PEERS = ("torch", "keras", "sklearn")


@functools.cache
def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def missing_peers() -> list[str]:
    return [peer for peer in PEERS if not installed(peer)]


def pytest_report_header() -> list[str]:
    missing = missing_peers()
    return [f"tests/reference is left out: {', '.join(missing)} not installed"] if missing else []


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    if collection_path == REFERENCE or REFERENCE in collection_path.parents:
        return True if missing_peers() else None
    if SOURCE in collection_path.parents and collection_path.suffix == ".py":
        return True if not all(installed(guest) for guest in guests_of(collection_path)) else None
    return None


def pytest_itemcollected(item: pytest.Item) -> None:
    if REFERENCE in item.path.parents:
        item.add_marker("reference")


@pytest.fixture(autouse=True, scope="session")
def _examples_are_no_part_of_the_package(doctest_namespace: dict[str, object]) -> None:
    """A class in a docstring is its user's: it must not be there for the tests that follow."""
    doctest_namespace["__name__"] = "example"
