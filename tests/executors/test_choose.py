"""Which executor runs a Program."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clearprop.errors import UnknownNameError
from clearprop.executors import reference
from clearprop.executors.choose import choose_executor
from clearprop.settings import settings


@pytest.fixture
def _settings_again() -> Iterator[None]:
    before = settings.executor
    yield
    settings.executor = before


def test_a_name_is_honored() -> None:
    assert choose_executor("reference") is reference


@pytest.mark.usefixtures("_settings_again")
def test_without_a_name_settings_decide() -> None:
    settings.executor = "reference"
    assert choose_executor() is reference
    settings.executor = "quantum"
    with pytest.raises(UnknownNameError, match="none called 'quantum' here"):
        choose_executor()
    assert choose_executor("reference") is reference


@pytest.mark.parametrize("name", ["", "Reference ", "quantum"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(UnknownNameError) as error:
        choose_executor(name)
    assert "needed: native, reference" in str(error.value)
    assert error.value.at.startswith(__file__)
