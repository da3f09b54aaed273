"""Bad input: one clear line per problem with its place, exit code 2, nothing written, never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from liquidity.cli import main

ROOT = Path(__file__).parents[1]


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def set_cell(path: Path, row: int, column: str, value: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    cells = lines[row].split(",")
    cells[lines[0].split(",").index(column)] = value
    lines[row] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def add_column(path: Path, name: str, value: str) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text(
        "\n".join([f"{lines[0]},{name}", *(f"{line},{value}" for line in lines[1:])]) + "\n", encoding="utf-8"
    )


BOOKS: dict[str, tuple[Callable[[Path], None], tuple[str, ...]]] = {
    "unknown column": (lambda b: add_column(b / "segments.csv", "shoe_size", "42"), ("segments", "shoe_size")),
    "missing table": (lambda b: (b / "lines.csv").unlink(), ("lines",)),
    "unknown table": (lambda b: shutil.copy(b / "lines.csv", b / "lions.csv"), ("lions",)),
    "not a number": (lambda b: set_cell(b / "segments.csv", 1, "pd", "nan"), ("segments", "pd")),
    "blank": (lambda b: set_cell(b / "segments.csv", 2, "apr", ""), ("segments", "apr")),
    "negative balance": (lambda b: set_cell(b / "balances.csv", 1, "balance", "-5"), ("balances", "balance", "-5")),
    "share above one": (lambda b: set_cell(b / "requests.csv", 1, "asked", "1.2"), ("requests", "asked", "1.2")),
    "unknown segment": (lambda b: set_cell(b / "balances.csv", 1, "segment", "Z-none"), ("balances", "Z-none")),
    "tranches exceed the pool": (
        lambda b: set_cell(b / "tranches.csv", 1, "balance", "9e12"),
        ("tranches", "balance"),
    ),
    "revolving after legal final": (
        lambda b: set_cell(b / "facilities.csv", 2, "revolving_end", "2039-01-01"),
        ("facilities", "revolving_end"),
    ),
    "two currencies": (lambda b: add_column(b / "lines.csv", "currency", "USD"), ("lines", "USD")),
    "does not balance": (lambda b: set_cell(b / "lender.csv", 1, "equity", "1"), ("lender",)),
    "money machine": (lambda b: set_cell(b / "lender.csv", 1, "cash_rate", "0.2"), ("lender", "cash_rate")),
}
RULEBOOKS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "unknown key": ("materiality", "materialness", ("calm.toml", "materialness")),
    "unknown kind": ('kind = "capital"', 'kind = "capitol"', ("calm.toml", "capitol")),
    "unknown key in a rule": ("max_change", "max_chance", ("calm.toml", "max_chance")),
    "unknown field": ('by = "region"', 'by = "religion"', ("religion",)),
    "horizon": ("7 x 1 day", "7 x 1 fortnight", ("horizon", "fortnight")),
    "no TOML": ('name = "calm"', 'name = "calm', ("calm.toml",)),
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A copy of the calm lender and its rulebook."""
    shutil.copytree(ROOT / "data" / "calm", tmp_path / "data" / "calm")
    (tmp_path / "models").mkdir()
    shutil.copy(ROOT / "models" / "calm.toml", tmp_path / "models" / "calm.toml")
    return tmp_path


def refused(place: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], *more: str) -> None:
    """The run is refused with code 2, says where, and leaves the disk as it was."""
    before = sorted(path.relative_to(place) for path in place.rglob("*"))
    with pytest.raises(SystemExit) as stopped:
        main(["allocate", str(place / "models" / "calm.toml"), "--out", str(place / "out"), *more])
    said = capsys.readouterr()
    assert stopped.value.code == 2
    assert "Traceback" not in said.err
    assert said.out == ""
    for word in (*words, "expected"):
        assert word in said.err
    assert sorted(path.relative_to(place) for path in place.rglob("*")) == before


@pytest.mark.parametrize("name", BOOKS)
def test_bad_book(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil, words = BOOKS[name]
    spoil(place / "data" / "calm")
    refused(place, capsys, words)


@pytest.mark.parametrize("name", RULEBOOKS)
def test_bad_rulebook(name: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new, words = RULEBOOKS[name]
    replace(place / "models" / "calm.toml", old, new)
    refused(place, capsys, words)


def test_all_problems_are_told_at_once(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_cell(place / "data" / "calm" / "segments.csv", 1, "pd", "abc")
    set_cell(place / "data" / "calm" / "lines.csv", 1, "rate", "-1")
    refused(place, capsys, ("segments", "abc", "lines", "rate"))


def test_a_rule_that_names_a_facility_that_is_not_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = (place / "data" / "calm" / "eligibility.csv").read_text(encoding="utf-8").splitlines()
    (place / "data" / "calm" / "eligibility.csv").write_text(
        "\n".join([*lines, "abs_1999z,pd,<=,0.1"]) + "\n", encoding="utf-8"
    )
    refused(place, capsys, ("eligibility", "abs_1999z"))


def test_a_partner_that_is_not_there(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace(place / "data" / "calm" / "facilities.csv", "harbour_bank", "desert_bank")
    refused(place, capsys, ("desert_bank",))


def test_missing_places(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(place, capsys, ("nowhere",), "--book", str(place / "nowhere"))
    refused(place, capsys, ("run folder",), "--previous", str(place / "data"))


def test_out_that_holds_something_else_is_left_alone(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "out").mkdir()
    (place / "out" / "diary.txt").write_text("mine", encoding="utf-8")
    refused(place, capsys, ("--out", "no run"))


@pytest.mark.parametrize("arguments", [["explain", "nowhere"], ["check", "nowhere"], ["show", "nowhere.toml"]])
def test_other_verbs_refuse_plainly(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert "nowhere" in capsys.readouterr().err


def test_unknown_option_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["allocate", "--colour", "blue"])
    assert stopped.value.code == 2
    assert "colour" in capsys.readouterr().err
