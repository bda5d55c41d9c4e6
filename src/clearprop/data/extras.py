"""Optional packages of this room, imported at the moment they are needed."""

from __future__ import annotations

import importlib
from types import ModuleType

from clearprop.errors import MissingExtraError


def import_polars(doing: str) -> ModuleType:
    """polars, for ``doing`` ("reading Parquet files").

    Raises:
        MissingExtraError: it is not installed.
    """
    return _import("polars", "polars", doing)


def import_pillow(doing: str) -> ModuleType:
    """The ``PIL.Image`` module, for ``doing`` ("reading images").

    Raises:
        MissingExtraError: pillow is not installed.
    """
    return _import("PIL.Image", "pillow", doing)


def _import(module: str, package: str, doing: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"{doing[:1].upper()}{doing[1:]}: the package {package} is not installed",
            found=f"no module {module.partition('.')[0]}",
            needed=package,
            try_="pip install 'clearprop[data]'",
        ) from error
