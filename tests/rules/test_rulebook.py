"""Reading rulebooks: what is refused and how it is told, what the digest depends on."""

from __future__ import annotations

import pytest

from liquidity.errors import BadInput
from liquidity.rules.rulebook import read_rulebook

HEAD = 'name = "test"\nbook = "book"\nhorizon = ["7 x 1 day"]\nmarket_rate = 0.05\n'
REQUESTS = '[[rule]]\nkind = "requests"\norigin = "desk"\nsource = "s"\n'
REGION = '[[rule]]\nkind = "concentration"\norigin = "board"\nsource = "s"\nby = "region"\nshare = 0.3\n'


@pytest.fixture
def read(tmp_path):
    """The rulebook of a text."""

    def read(text):
        file = tmp_path / "rules.toml"
        file.write_text(text, encoding="utf-8")
        return read_rulebook(file)

    return read


def problems(read, text):
    """Everything that is wrong with a text, as (row, column)."""
    with pytest.raises(BadInput) as caught:
        read(text)
    assert {problem.table for problem in caught.value.problems} == {"rules.toml"}
    return [(problem.row, problem.column) for problem in caught.value.problems]


def test_good_rulebook(read, tmp_path):
    rulebook = read(HEAD + "[solver]\nthreads = 2\n" + REQUESTS + REGION)
    assert [rule.name for rule in rulebook.rules] == ["requests", "concentration"]
    assert rulebook.rule("concentration").share == 0.3
    assert rulebook.rule("concentration").priority == 3
    assert (rulebook.solver.threads, rulebook.solver.workers, rulebook.materiality) == (2, 2, 0.01)
    assert rulebook.book == str(tmp_path / "book")


def test_address_of_a_database_stays(read):
    url = "postgresql+psycopg://host/lender"
    assert read(HEAD.replace('"book"', f'"{url}"') + REQUESTS).book == url


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (HEAD + "colour = 1\n" + REQUESTS, ("", "colour")),
        (HEAD + "[solver]\ncores = 4\n" + REQUESTS, ("", "solver.cores")),
        (HEAD + "[solver]\nthreads = 0\n" + REQUESTS, ("", "solver.threads")),
        (HEAD + "rules = []\n" + REQUESTS, ("", "rules")),
        (HEAD.replace("0.05", "5.0") + REQUESTS, ("", "market_rate")),
        (HEAD.replace("0.05", "nan") + REQUESTS, ("", "market_rate")),
        (HEAD.replace("market_rate = 0.05", "") + REQUESTS, ("", "market_rate")),
        (HEAD.replace("7 x 1 day", "7 days") + REQUESTS, ("", "horizon")),
        (HEAD.replace("7 x 1 day", "0 x 1 day") + REQUESTS, ("", "horizon")),
        (HEAD.replace('["7 x 1 day"]', "[]") + REQUESTS, ("", "horizon")),
        (HEAD, ("", "rule")),
        (HEAD + REQUESTS + REQUESTS.replace("s\n", "s\n") + 'name = "again"\n', ("", "rule")),
        (HEAD + REQUESTS + REGION + REGION, ("rule 3 concentration", "name")),
        (HEAD + REQUESTS + REGION.replace("0.3", "30"), ("rule 2 concentration", "share")),
        (HEAD + REQUESTS + REGION.replace("0.3", '"much"'), ("rule 2 concentration", "share")),
        (HEAD + REQUESTS + REGION + "limit = 1\n", ("rule 2 concentration", "limit")),
        (HEAD + REQUESTS + REGION + 'name = "Two Words"\n', ("rule 2 Two Words", "name")),
        (HEAD + REQUESTS + REGION + 'name = "margin"\n', ("rule 2 margin", "")),
        (HEAD + REQUESTS + REGION.replace('source = "s"', ""), ("rule 2 concentration", "source")),
        (HEAD + REQUESTS + REGION.replace("board", "owner"), ("rule 2 concentration", "origin")),
        (HEAD + REQUESTS + REGION.replace("concentration", "concentrate"), ("rule 2 concentrate", "kind")),
        (HEAD + REQUESTS + "[[rule]]\nshare = 1\n", ("rule 2", "kind")),
        (HEAD + REQUESTS + '[[rule]]\npython = "none.py:Rule"\n', ("rule 2", "python")),
        (HEAD + REQUESTS + '[[rule]]\npython = "none.py"\n', ("rule 2", "python")),
        (HEAD + "rule = 3\n", ("", "rule")),
        ("name = \n", ("", "")),
    ],
)
def test_refused_with_file_rule_and_key(read, text, place):
    assert place in problems(read, text)


def test_everything_wrong_is_told_at_once(read):
    text = HEAD.replace("0.05", "5.0") + "colour = 1\n" + REQUESTS + REGION.replace("0.3", "30") + "limit = 1\n"
    assert sorted(problems(read, text)) == [
        ("", "colour"),
        ("", "market_rate"),
        ("rule 2 concentration", "limit"),
        ("rule 2 concentration", "share"),
    ]


def test_missing_file(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        read_rulebook(tmp_path / "none.toml")


def test_not_text(tmp_path):
    file = tmp_path / "rules.toml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="UTF-8"):
        read_rulebook(file)


def test_digest_is_of_the_content(read):
    first = read(HEAD + REQUESTS + REGION).digest
    assert len(first) == 64
    same = [
        "# a comment\n" + HEAD + REGION + REQUESTS,
        HEAD + REQUESTS + REGION.replace("0.3", "0.30") + 'name = "concentration"\n',
        HEAD.replace('"book"', '"elsewhere"') + REQUESTS + REGION,
        HEAD + "[solver]\nthreads = 1\n" + REQUESTS + REGION,
    ]
    assert {read(text).digest for text in same} == {first}
    other = [
        HEAD + REQUESTS + REGION.replace("0.3", "0.31"),
        HEAD + REQUESTS,
        HEAD.replace("0.05", "0.051") + REQUESTS + REGION,
        HEAD + REQUESTS + REGION + "warn_at = 0.8\n",
    ]
    assert first not in {read(text).digest for text in other}


def test_edit_and_without(read):
    rulebook = read(HEAD + REQUESTS + REGION)
    edited = rulebook.edit("concentration", share=0.5)
    assert (rulebook.rule("concentration").share, edited.rule("concentration").share) == (0.3, 0.5)
    assert [rule.name for rule in edited.rules] == ["requests", "concentration"]
    assert [rule.name for rule in rulebook.without("concentration").rules] == ["requests"]
    with pytest.raises(BadInput, match="share"):
        rulebook.edit("concentration", share=5)
    with pytest.raises(KeyError):
        rulebook.rule("none")


OWN = '''
from typing import ClassVar, Literal
from liquidity.rules.base import Rule, value

class Floor(Rule):
    """In symbols: cash[t] >= floor."""
    code: ClassVar[str] = "LIQUIDITY_BUFFER"
    kind: Literal["floor"] = value("floor", "Which rule this is.", "name")
    floor: float = value(..., "Cash kept.", "CNY", ge=0)

    def write(self, pool):
        pool.limit(self, "floor", (self.periods(pool),), lambda m, t: m.cash[t], at_least=pool.money(self.floor))

class Nameless(Rule):
    kind: Literal["nameless"] = "nameless"
'''
FLOOR = '[[rule]]\npython = "my_rules.py:Floor"\norigin = "desk"\nsource = "s"\nfloor = 5.0\n'


def test_own_rule_of_a_lender(read, tmp_path, book, write):
    file = tmp_path / "my_rules.py"
    file.write_text(OWN)
    rulebook = read(HEAD + REQUESTS + FLOOR)
    rule = rulebook.rule("floor")
    assert (rule.kind, rule.floor, rule.code) == ("floor", 5.0, "LIQUIDITY_BUFFER")
    assert [row.owner for row in write(rule).rows if row.kind == "rule"] == ["floor"]
    file.write_text(OWN.replace("at_least=pool", "at_most=pool"))
    assert read(HEAD + REQUESTS + FLOOR).digest != rulebook.digest


@pytest.mark.parametrize(
    ("source", "name"), [(OWN, "Nothing"), (OWN, "Nameless"), ("x = ", "Floor"), ("import nowhere_at_all", "Floor")]
)
def test_own_rule_refused(read, tmp_path, source, name):
    (tmp_path / "my_rules.py").write_text(source)
    assert ("rule 2", "python") in problems(read, HEAD + REQUESTS + FLOOR.replace("Floor", name))
