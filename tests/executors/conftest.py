"""Tests of machine code compile it themselves: they change the compiler, or count what it does."""

from __future__ import annotations

import pytest

from clearprop.executors.native import cache


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(cache.VARIABLE, "off")
