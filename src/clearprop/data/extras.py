"""Optional packages of this room, imported at the moment they are needed."""

from __future__ import annotations

from typing import Any

from clearprop.errors import MissingExtraError


def import_polars(doing: str) -> Any:
    """polars, for ``doing`` ("reading Parquet files").

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import polars
    except ImportError as error:
        raise _missing("polars", doing) from error
    return polars


def import_pillow(doing: str) -> tuple[Any, Any]:
    """pillow's modules ``Image`` and ``ImageOps``, for ``doing`` ("reading images").

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise _missing("pillow", doing) from error
    return Image, ImageOps


def _missing(package: str, doing: str) -> MissingExtraError:
    return MissingExtraError(
        f"{doing[:1].upper()}{doing[1:]}: the package {package} is not installed",
        needed=package,
        try_="pip install 'clearprop[data]'",
    )
