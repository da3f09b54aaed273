"""Macro tables and histories that are drawn with known numbers, as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from liquidity.scenarios.macro import quarter_label

FIRST = 1990 * 4
TITLES = {"unemployment": "Unemployment rate", "gdp": "Real GDP growth", "rate_3m": "3-month Treasury rate"}


def walk(seed: int, count: int, start: float, step: float) -> np.ndarray:
    """A path that wanders and returns, dims (quarter,); two decimals, as a table prints it."""
    moves = np.random.default_rng(seed).normal(0, step, count)
    path = [start]
    for move in moves[1:]:
        path.append(path[-1] + 0.1 * (start - path[-1]) + move)
    return np.round(np.array(path), 2)


def macro_values(count: int = 100) -> dict[str, np.ndarray]:
    return {
        "unemployment": walk(1, count, 6.0, 0.5),
        "gdp": walk(2, count, 2.0, 1.0),
        "rate_3m": walk(3, count, 3, 0.4),
    }


def write_macro(file: Path, values: dict[str, np.ndarray]) -> Path:
    """A macro table from 1990 Q1 on."""
    count = len(next(iter(values.values())))
    lines = [",".join(["Scenario Name", "Date", *(TITLES[name] for name in values)])]
    lines += [",".join(["Actual", quarter_label(FIRST + at), *(f"{path[at]}" for path in values.values())])
              for at in range(count)]  # fmt: skip
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def write_history(file: Path, first: int, values: np.ndarray, target: str = "pd", where: str = "") -> Path:
    """A history of one series; `first` is its first quarter as a place in the macro table."""
    lines = ["quarter,target,value,unit,where"]
    lines += [f"{quarter_label(FIRST + first + at)},{target},{value!r},1,{where}"
              for at, value in enumerate(values.tolist())]  # fmt: skip
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def logistic(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))
