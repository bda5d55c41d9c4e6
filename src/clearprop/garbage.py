"""Putting Python's search for garbage off while many objects are made that all stay.

A Program and the way to its code are many thousands of small objects.  Python's collector starts
each time that some more have been made, and now and then goes through all objects of the process:
tens of milliseconds, and nothing is found, because graphs have no cycles and are freed by their
counts of references.
"""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collection_put_off() -> Generator[None]:
    """While this is at work nobody looks for garbage.

    Where the collector is off already it stays off.  Threads may do this at the same time: the
    first one found the collector on, and leaves it on.

    It is for ``with`` and decorates no function: the standard library would stand between the
    user's line and the errors and equations that name it.

    Example:
        >>> import gc
        >>> with collection_put_off():
        ...     gc.isenabled()
        False
        >>> gc.isenabled()
        True
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
