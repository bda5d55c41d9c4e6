"""Draws every activation (solid) and its derivative (dashed): python docs/pictures/activations.py

The pictures are transparent and of colors that stand out from white and from black, also for
people who see few colors (Okabe and Ito's blue and vermilion).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import clearprop as cp

FOLDER = Path(__file__).parent / "activations"
BLUE, VERMILION, GRAY = "#0072b2", "#d55e00", "#808080"
WIDTH, HEIGHT, EDGE = 360, 220, 22
LEFT, RIGHT = -4.0, 4.0
ALIASES = {"hard_swish": "hard_silu", "swish": "silu"}
# What is drawn where one number alone is not enough: `z` meets fixed others.
OF_SEVERAL: dict[str, Callable[[cp.Tensor], cp.Tensor]] = {
    "glu": lambda z: cp.activations.glu(cp.stack([cp.ones_like(z), z], axis=-1))[:, 0],
    "softmax": lambda z: cp.activations.softmax(_beside_zero(z))[:, 0],
    "log_softmax": lambda z: cp.activations.log_softmax(_beside_zero(z))[:, 0],
    "sparsemax": lambda z: cp.activations.sparsemax(_beside_zero(z))[:, 0],
    "threshold": lambda z: cp.activations.threshold(z, 1.0, -0.5),
}
RANGES = {"hard_sigmoid": 5.0, "hard_silu": 5.0, "relu6": 8.0}  # how far to go, if not to 4


def _beside_zero(z: cp.Tensor) -> cp.Tensor:
    return cp.stack([z, cp.zeros_like(z)], axis=-1)


def names() -> list[str]:
    """The activations, each once."""
    return [name for name in cp.activations.__all__ if name != "get" and name not in ALIASES]


def curves(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """z, value and derivative."""
    function = OF_SEVERAL.get(name) or getattr(cp.activations, name)
    far = RANGES.get(name, RIGHT)
    z = cp.parameter(np.linspace(-far, far, 321), dtype="float64")
    value = function(z)
    value.backward(cp.ones_like(value))
    assert z.grad is not None
    return z.numpy(), value.numpy(), z.grad.numpy()


def svg(name: str) -> str:
    """The picture of one activation."""
    z, value, slope = curves(name)
    low = max(-4.0, min(-0.5, value.min(), slope.min()))
    high = min(4.0 if name != "relu6" else 7.0, max(1.2, value.max(), slope.max()))
    across, up = (WIDTH - 2 * EDGE) / (z[-1] - z[0]), (HEIGHT - 2 * EDGE) / (high - low)

    def x(number: float) -> float:
        return round(EDGE + (number - z[0]) * across, 1)

    def y(number: float) -> float:
        return round(HEIGHT - EDGE - (number - low) * up, 1)

    def line(numbers: np.ndarray, style: str) -> str:
        """A path that is cut where it leaves the picture or jumps."""
        path, pen_down, before = [], False, numbers[0]
        for at, number in zip(z, numbers, strict=True):
            inside = low - 0.01 <= number <= high + 0.01
            if inside:
                joined = pen_down and abs(number - before) * up < 8
                path.append(f"{'L' if joined else 'M'}{x(at)},{y(number)}")
            pen_down, before = inside, number
        return f'<path d="{"".join(path)}" fill="none" stroke-width="2.5" {style}/>'

    def tick(number: int, is_across: bool) -> str:
        place = (x(number), y(0) + 14) if is_across else (x(0) - 5, y(number) + 4)
        anchor = "middle" if is_across else "end"
        text = str(number).replace("-", "\N{MINUS SIGN}")
        return f'<text x="{place[0]:.1f}" y="{place[1]:.1f}" text-anchor="{anchor}">{text}</text>'

    steps = range(int(np.ceil(z[0])), int(z[-1]) + 1)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{name} (solid) and its derivative (dashed)</title>",
        f'<path d="M{EDGE},{y(0)}H{WIDTH - EDGE}M{x(0)},{EDGE}V{HEIGHT - EDGE}" '
        f'stroke="{GRAY}" fill="none"/>',
        f'<g font-family="sans-serif" font-size="11" fill="{GRAY}">',
        *[tick(n, True) for n in steps if n and n % 2 == 0],
        *[tick(n, False) for n in range(int(np.ceil(low)), int(high) + 1) if n],
        f'<text x="{x(0) + 6}" y="{EDGE - 8}" font-weight="bold">{name}</text>',
        f'<text x="{WIDTH - EDGE}" y="{EDGE - 8}" fill="{VERMILION}" '
        'text-anchor="end">derivative</text>',
        "</g>",
        line(slope, f'stroke="{VERMILION}" stroke-dasharray="6 4"'),
        line(value, f'stroke="{BLUE}"'),
        "</svg>\n",
    ])  # fmt: skip


def draw(folder: Path) -> None:
    """Write all pictures."""
    folder.mkdir(exist_ok=True)
    for name in names():
        (folder / f"{name}.svg").write_text(svg(name))


if __name__ == "__main__":
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
