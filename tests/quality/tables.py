"""Tables with known errors."""

import numpy as np
import polars as pl

CITIES = ("Aldford", "Brackwell", "Corstead", "Dunmere", "Elmsworth", "Farnlow", "Gisby", "Harwick")


def sites(rows=400, seed=0):
    """Sites in eight cities: the zip determines city and region; a code, a number and a date besides."""
    rng = np.random.default_rng(seed)
    at = rng.integers(0, len(CITIES), rows)
    return pl.DataFrame(
        {
            "id": [f"S-{i:05d}" for i in range(rows)],
            "zip": [f"{20_000 + 137 * i}" for i in at],
            "city": [CITIES[i] for i in at],
            "region": [("north", "south")[i % 2] for i in at],
            "phone": [
                f"{a}-{b}" for a, b in zip(rng.integers(200, 999, rows), rng.integers(1000, 9999, rows), strict=True)
            ],
            "area": rng.normal(500, 60, rows).round(1),
            "opened": [
                f"2{y:03d}-{m:02d}-11"
                for y, m in zip(rng.integers(0, 25, rows), rng.integers(1, 13, rows), strict=True)
            ],
        }
    )


def spoilt(frame, cells):
    """The frame with other values in some cells, given as (row, column): value; and where they are."""
    mask = np.zeros(frame.shape, bool)
    columns = {name: frame[name].to_list() for name in frame.columns}
    for (row, name), value in cells.items():
        columns[name][row] = value
        mask[row, frame.columns.index(name)] = True
    return pl.DataFrame(columns, schema=frame.schema), mask


ERRORS = {
    (3, "city"): "Aldfxrd",
    (17, "city"): "Zzyzx",
    (40, "region"): "nort",
    (55, "phone"): "(312) 555 0199",
    (71, "area"): 9999.0,
    (90, "opened"): "11/03/07",
    (120, "zip"): "2x137",
    (150, "city"): None,
    (170, "phone"): "",
}


def thirds(wrong, rows=3000, seed=0):
    """Three columns, a fourth that only all three together determine, and one of chance; (rows,) where it is wrong."""
    rng = np.random.default_rng(seed)
    parts = rng.integers(0, 3, (3, rows))
    told, names, mask = parts.sum(0) % 3, np.array(["u", "v", "w"]), np.zeros(rows, bool)
    mask[rng.choice(rows, wrong, replace=False)] = True
    columns = [*parts, (told + mask) % 3, rng.integers(0, 3, rows)]
    return pl.DataFrame({name: names[one] for name, one in zip("abcse", columns, strict=True)}), mask
