"""Roll the sample lender and made-up lenders, and print the uplift of the optimiser over the simple policies.

Run: python benchmarks/prove_roll.py [NIGHTS] [LENDERS] [SEED]. The sample lender with its rulebook, then LENDERS random
ones (8 segments, 5 facilities, `tests/books.py`: limits moved to where they are felt, horizon of three months). Same
rules, same luck. Prints one line a lender and policy; exit code 1 where an uplift is not above nought, the optimiser
breaks more than a policy, or an account does not close.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from liquidity import read_book, read_rulebook
from liquidity.runs.roll import Rolled, make_roll
from liquidity.runs.roll_path import Roll
from tests.books import random_book, random_rules

CLOSES = 1e-9


def lenders(count: int) -> list[tuple[str, object, object]]:
    """Names, books and rulebooks."""
    rules = read_rulebook("models/online_microlender.toml")
    made = [(f"random {seed}", random_book(seed=seed), random_rules(random_book(seed=seed), seed))
            for seed in range(1, count + 1)]  # fmt: skip
    return [*made, ("online_microlender", read_book(rules.book), rules)]


def lines(name: str, rolled: Rolled, wall: float) -> bool:
    """Print a lender; whether all holds."""
    best, good = rolled.results.iloc[0], True
    for row in rolled.results.itertuples():
        first = row.policy == best.policy
        fine = not rolled.failed and (first or (row.uplift > 0 and best.breaches <= row.breaches))
        fine = fine and max(rolled.checks.values()) <= CLOSES
        good = good and fine
        gain = "" if first else (f"uplift CNY {row.uplift / 1e6:,.3f}m ({row.uplift_a_year:.2%} of equity a year, "
                                 f"booked {row.uplift_booked / 1e6:,.3f}m), ")  # fmt: skip
        print(f"{'ok  ' if fine else 'FAIL'} {name:20} {row.policy:10} {gain}net worth CNY "
              f"{row.net_worth / 1e6:,.2f}m, interest {row.interest / 1e6:,.2f}m, losses {row.losses / 1e6:,.2f}m, "
              f"funding {row.funding_cost / 1e6:,.2f}m, relent {row.relent_share:.1%} of wanted, "
              f"breaches {row.breaches}, nights repaired {row.repaired}, without plan {row.no_plan}, "
              f"{row.cpu_seconds:.0f} CPU s", flush=True)  # fmt: skip
    print(f"     {name:20} closes {rolled.checks['close_gap']:.1e}, other {rolled.checks['other_gap']:.1e} of assets, "
          f"{wall:.0f} s wall; broken: {rolled.breaches.groupby(['policy', 'rule']).night.nunique().to_dict()} "
          f"{rolled.failed or ''}", flush=True)  # fmt: skip
    return good


def main(nights: str = "30", count: str = "5", seed: str = "0") -> int:
    """Roll and print."""
    good = True
    for name, book, rules in lenders(int(count)):
        begun = time.perf_counter()
        rolled = make_roll(Roll(book, rules, int(nights), int(seed)))
        good = lines(name, rolled, time.perf_counter() - begun) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
