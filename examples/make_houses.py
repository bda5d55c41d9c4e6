"""Makes houses.csv: 250 invented houses with invented prices, to try `clearprop train` on.

    python examples/make_houses.py

The prices follow a formula with 6 % noise, so that it is known how well a network can do.
Some cells are empty, and the last column counts rows, as tables in real life have it.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

CITIES = {"Aachen": 2600, "Bonn": 3100, "Celle": 1900, "Dresden": 2300}  # per square meter
CONDITIONS = {"new": 1.25, "good": 1.0, "worn": 0.8}
COLUMNS = ["area", "rooms", "built", "city", "condition", "garden", "sold", "price", "house_id"]


def rows(count: int, seed: int) -> list[list[object]]:
    """Houses, one list of cells each."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(1, count + 1):
        area = round(float(rng.uniform(45, 220)), 1)
        rooms = int(np.clip(round(area / 28 + rng.normal(0, 0.7)), 1, 9))
        built = int(rng.integers(1900, 2021))
        city = str(rng.choice(list(CITIES), p=[0.35, 0.3, 0.2, 0.15]))
        condition = str(rng.choice(list(CONDITIONS), p=[0.2, 0.5, 0.3]))
        garden = bool(rng.random() < 0.4)
        sold = np.datetime64("2023-01-01") + int(rng.integers(0, 730))
        price = area * CITIES[city] * CONDITIONS[condition]
        price *= 1 + (built - 1960) / 500 + 0.08 * garden
        price = round(float(price * (1 + rng.normal(0, 0.06))), -2)
        cells: list[object] = [area, rooms, built, city, condition]
        cells += ["true" if garden else "false", sold, int(price), number]
        for column, share in ((1, 0.04), (2, 0.06), (4, 0.05)):
            if rng.random() < share:
                cells[column] = ""
        found.append(cells)
    return found


if __name__ == "__main__":
    path = Path(__file__).with_name("houses.csv")
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows(250, seed=0))
    print(f"{path.name}: 250 invented houses")
