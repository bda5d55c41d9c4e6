"""Doors: names that import the room behind them when they are first used.

A class may have a method whose work lives on a floor above it (``tensor.show()`` draws a
picture).  Such a method is declared once, as a door; nothing else in the house looks upward.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from clearprop.text import did_you_mean


def door(module: str, name: str) -> Callable[..., Any]:
    """A function that imports ``module`` at its first call and then is ``module.name``.

    Example:
        >>> door("math", "sqrt")(9.0)
        3.0
    """

    def through(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(module), name)(*args, **kwargs)

    through.__name__ = through.__qualname__ = name
    through.__doc__ = f"See ``{module}.{name}``."
    return through


def lazy_attributes(
    package: str, homes: dict[str, str], elsewhere: Mapping[str, str] | None = None
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package whose names are imported when first used.

    Args:
        package: the package's own full name.
        homes: for each public name the module it lives in, or that it is: ``layers`` at home in
            ``clearprop.layers`` is that module itself.
        elsewhere: what to write for names that people look for here in vain.
    """

    def getattr_(name: str) -> Any:
        if name not in homes:
            home = sys.modules.get(package)
            known = [*homes, *getattr(home, "__all__", ())]
            advice = (elsewhere or {}).get(name, "")
            if advice:
                advice = f"; {advice}"
            elif not name.startswith("_") and (near := did_you_mean(name, known)):
                advice = f";{near}"
            message = f"module {package!r} has no attribute {name!r}{advice}"
            raise AttributeError(message, name=name, obj=home)
        module = importlib.import_module(homes[name])
        return module if homes[name].endswith(f".{name}") else getattr(module, name)

    def dir_() -> list[str]:
        return sorted(homes)

    return getattr_, dir_
