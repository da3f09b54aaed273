"""Expected credit loss by stage (IFRS 9, 5.5 and B5.5.28 to B5.5.44)."""

from __future__ import annotations

import numpy as np

from liquidity.rules.basel.kinds import Numbers


def conditional_losses(pd: Numbers, lgd: Numbers, ead: Numbers, eir: Numbers) -> np.ndarray:
    """Discounted expected losses by year, last axis: DF_t S_{t-1} pd_t lgd_t ead_t.

    `pd` is conditional on no default before; `eir` 1/year, effective. Money as `ead`.
    """
    pd, lgd, ead, eir = np.broadcast_arrays(*(np.asarray(part, float) for part in (pd, lgd, ead, eir)))
    years = np.arange(1, pd.shape[-1] + 1)
    alive = np.concatenate([np.ones_like(pd[..., :1]), np.cumprod(1 - pd, axis=-1)[..., :-1]], axis=-1)
    return (1 + eir) ** -years * alive * pd * lgd * ead


def ecl(pd: Numbers, lgd: Numbers, ead: Numbers, eir: Numbers, stage: int) -> np.ndarray:
    """Expected credit loss of a stage, money as `ead`; arrays over years in the last axis, conditional PD.

    Stage 1 takes the first year, stage 2 the whole life, stage 3 (impaired) lgd of today's exposure. Raises
    ValueError for another stage.
    """
    if stage == 3:
        now = np.broadcast_arrays(*(np.asarray(part, float) for part in (lgd, ead)))
        return np.asarray(now[0][..., 0] * now[1][..., 0])
    losses = conditional_losses(pd, lgd, ead, eir)
    if stage not in (1, 2):
        raise ValueError(f"stage {stage}: 1, 2 or 3")
    return np.asarray(losses[..., 0] if stage == 1 else losses.sum(axis=-1))


def stages(balance: Numbers, past_due_31_90: Numbers, npl: Numbers) -> np.ndarray:
    """Shares of stages 1, 2, 3 in balance + npl, first axis, by the backstops of 30 and 90 days past due."""
    balance, late, bad = (np.asarray(part, float) for part in (balance, past_due_31_90, npl))
    total = balance + bad
    return np.stack([balance - late, late, bad]) / np.where(total > 0, total, 1.0)


def ecl_rate(pd: Numbers, lgd: Numbers, share: Numbers, life: Numbers, apr: Numbers, late_pd: Numbers) -> np.ndarray:
    """Expected credit loss per unit of balance, from 12-month PD, LGD and the shares of the stages (first axis).

    Losses fall at a constant intensity, -ln(1 - pd) a year in stage 1 and -ln(1 - late_pd) in stage 2, over a balance
    that is repaid at 1/`life` a year, discounted at `apr`; stage 1 ends after a year, stage 2 at the end of the life.
    Stage 3 loses lgd. This is the continuous form of `ecl`, and the one that fits loans repaid any day (DESIGN 5).
    """
    first, second, third = np.asarray(share, float)
    lgd, apr, life = (np.asarray(part, float) for part in (lgd, apr, life))
    hazard, late = (-np.log1p(-np.asarray(part, float)) for part in (pd, late_pd))
    leave = 1 / life + np.log1p(apr)
    year = hazard / (hazard + leave) * -np.expm1(-(hazard + leave))
    return lgd * (first * year + second * late / (late + leave) + third)
