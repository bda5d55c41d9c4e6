"""Bytes that packages take on the disk with everything that they need; prints JSON.

python -m benchmarks.installed torch tensorflow-cpu
"""

from __future__ import annotations

import importlib.metadata
import json
import re
import sys
from pathlib import Path


def needed(name: str) -> set[str]:
    """The distribution and all that it requires, as far as they are installed."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        wanted = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if wanted in found:
            continue
        try:
            requirements = importlib.metadata.requires(wanted) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(wanted)
        for requirement in requirements:
            text, _, marker = requirement.partition(";")
            match = re.match(r"[\w.-]+", text.strip())
            if match and "extra" not in marker:
                waiting.append(match.group())
    return found


def size_bytes(name: str) -> int:
    """Of the files of one distribution."""
    files = importlib.metadata.files(name) or []
    paths = [Path(str(file.locate())) for file in files]
    return sum(path.stat().st_size for path in paths if path.is_file())


def main() -> None:
    """Print the size of each package with all that it needs; None where it is not installed."""
    sizes = {}
    for name in sys.argv[1:]:
        names = needed(name)
        sizes[name] = sum(map(size_bytes, names)) if names else None
    print(json.dumps(sizes))


if __name__ == "__main__":
    main()
