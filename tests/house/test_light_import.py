"""`import clearprop` brings nothing heavy: what is not used is not loaded."""

from __future__ import annotations

import subprocess
import sys

HEAVY = {
    *("llvmlite", "jax", "torch", "keras", "tensorflow", "onnx", "sklearn", "scipy"),
    *("polars", "pandas", "pyarrow", "PIL", "matplotlib", "safetensors"),
    *("rich", "typer", "click", "starlette", "uvicorn"),
}


def loaded_by(line: str) -> set[str]:
    """The top-level packages that a fresh Python has loaded after this line."""
    code = f"import sys; {line}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    command = [sys.executable, "-W", "error", "-c", code]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_import_is_light() -> None:
    loaded = loaded_by("import clearprop")
    assert "clearprop" in loaded
    assert not loaded & HEAVY


def test_building_and_computing_needs_no_guest() -> None:
    assert not loaded_by("import clearprop as cp; cp.tensor([1.0, 2.0]).numpy()") & HEAVY
