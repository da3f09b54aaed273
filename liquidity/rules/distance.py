"""How far one macro path is from another, for reverse stress: what a rulebook may say of it in `[reverse_stress]`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from liquidity.rules.base import value

POINTS, LEVEL = "percentage point", "% of the start path"


class Distance(BaseModel):
    """The root of the sum of squares of what each variable moves by, in sizes that count as one."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    gdp: float = value(2.0, "Real GDP growth that counts as one.", POINTS, gt=0)
    unemployment: float = value(1.0, "Unemployment that counts as one.", POINTS, gt=0)
    policy_rate: float = value(1.0, "Policy rate that counts as one.", POINTS, gt=0)
    rate_3m: float = value(1.0, "3-month rate that counts as one.", POINTS, gt=0)
    bbb: float = value(1.0, "BBB yield that counts as one.", POINTS, gt=0)
    ig_spread: float = value(1.0, "Investment grade spread that counts as one.", POINTS, gt=0)
    china_npl_flow: float = value(1.0, "Rate of new NPL in China that counts as one.", POINTS, gt=0)
    house_price: float = value(10.0, "House prices that count as one.", LEVEL, gt=0)
    equity: float = value(20.0, "Share prices that count as one.", LEVEL, gt=0)
    china_house_price: float = value(10.0, "House prices in China that count as one.", LEVEL, gt=0)
    ramp: int = value(4, "Quarters from tonight to the peak, which is then held.", "quarter", ge=1)
    bound: float = value(10.0, "Furthest path that is looked at.", "count", gt=0)
    source: str = value("a convention of this program; put the lender's own here", "Where the sizes are from.", "text")

    @property
    def sizes(self) -> dict[str, float]:
        """Size of every variable in the unit of its path: percentage points, of levels a share."""
        found = {}
        for name, field in type(self).model_fields.items():
            unit = dict(field.json_schema_extra or {}).get("unit")  # type: ignore[arg-type]
            if unit in (POINTS, LEVEL):
                found[name] = getattr(self, name) * (0.01 if unit == LEVEL else 1.0)
        return found

    def is_level(self, name: str) -> bool:
        """Whether the size of a variable is a share of its path."""
        return dict(type(self).model_fields[name].json_schema_extra or {}).get("unit") == LEVEL  # type: ignore[arg-type]
