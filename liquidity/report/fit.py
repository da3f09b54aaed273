"""The page of a fit: actual, fitted and out of sample by series, in English and Chinese, one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from liquidity.explain.words import Lang
from liquidity.report.canvas import BLUE, GREY, INK, RUST, WINE, frame, speak
from liquidity.report.html import template
from liquidity.report.numbers import LANGS
from liquidity.scenarios.fit import Fitted

TARGETS: dict[str, tuple[str, str]] = {
    "pd": ("Defaults", "违约率"), "lgd": ("Loss given default", "违约损失率"),
    "payment_rate": ("Payment rate", "还款率"), "demand": ("New demand", "新增需求"),
    "utilisation": ("Utilisation", "额度使用率"), "asked": ("Asking again", "再次申请率"),
    "score_kept": ("Share that loses its score", "评分下降占比"),
    "model_kept": ("Share lost by a change of model", "模型变更影响占比"),
    "policy_kept": ("Share that policy cuts", "政策收紧占比"), "line_rate": ("Rate of lines", "授信利率"),
    "note_rate": ("Rate of warehouse notes", "仓储融资利率"),
    "market_rate": ("Rate of the open market", "市场融资利率"),
    "advance_rate": ("Advance rate", "折扣后融资比例"), "hqla": ("Value of liquid assets", "流动性资产价值"),
}  # fmt: skip
NAMES: dict[str, str] = {
    "gdp": "实际GDP增速", "gdp_nominal": "名义GDP增速", "income": "实际收入增速", "income_nominal": "名义收入增速",
    "unemployment": "失业率", "cpi": "通胀率", "rate_3m": "3个月国债利率", "yield_5y": "5年期国债收益率",
    "yield_10y": "10年期国债收益率", "bbb": "BBB企业债收益率", "mortgage": "按揭利率", "prime": "最优惠利率",
    "equity": "股指", "house_price": "房价指数", "cre_price": "商业地产指数", "vix": "波动率指数",
    "policy_rate": "政策利率", "ig_spread": "投资级利差", "china_npl_flow": "中国新增不良率",
    "china_gdp": "中国实际GDP", "china_house_price": "中国房价", "credit_spread": "信用利差", "short_rate": "短期利率",
}  # fmt: skip
"""Chinese of the macro names; English is the name itself without its dashes."""
LINES: dict[str, tuple[str, str, str, str]] = {
    "actual": ("Actual", "实际", INK, "solid"), "fitted": ("Fitted", "拟合", BLUE, "solid"),
    "forecast": ("Out of sample, {} quarters before", "样本外（提前{}个季度）", RUST, "dash"),
    "naive": ("Last value, {} quarters before", "最近值（提前{}个季度）", GREY, "dot"),
    "held": ("Held out: one forecast to the end", "留出期预测", WINE, "solid"),
}  # fmt: skip


def write_fit(fitted: Sequence[Fitted], record: Mapping[str, Any], target: Path) -> None:
    """Write the page to `target` (a file)."""
    target.write_text(template("fit.html").render(**_context(fitted, record)), encoding="utf-8")


def amount(value: float | None, unit: str) -> str:
    """A level or an error in the unit of its history; a dash where there is none."""
    if value is None or pd.isna(value):
        return "–"
    return f"{100 * value:.3g}%" if unit == "%" else f"{value:.4g}"


def _context(fitted: Sequence[Fitted], record: Mapping[str, Any]) -> dict[str, Any]:
    ahead = int(record["options"]["ahead"])
    told: list[dict[str, Any]] = [
        {**row, "id": f"fit-{one.name}", "title": title(one), "terms": terms(one),
         "forecasts": one.forecasts.to_dict("records")}
        for one, row in zip(fitted, record["series"])
    ]  # fmt: skip
    return {
        "record": dict(record),
        "series": told,
        "ahead": ahead,
        "amount": amount,
        "beaten": sum(beats(row) for row in record["series"]),
        "beats": beats,
        "figures": {f"fit-{one.name}": str(drawing(one, ahead).to_json()).replace("</", "<\\/") for one in fitted},
        "plotly_js": get_plotlyjs(),
    }


def beats(row: Mapping[str, Any]) -> bool:
    """Whether a model errs less out of sample than the last value does."""
    return bool(row["model"] and row["rmse_out"] is not None and row["rmse_out"] < row["rmse_naive"])


def title(one: Fitted) -> tuple[str, str]:
    """A series in both languages: the target, and for whom."""
    where = one.model.where if one.model else {}
    parts = [f"{column} {value if isinstance(value, str) else ', '.join(value)}" for column, value in where.items()]
    en, zh = TARGETS[one.target]
    return (": ".join([en, "; ".join(parts)]), "：".join([zh, "；".join(parts)])) if parts else (en, zh)


def terms(one: Fitted) -> list[dict[str, Any]]:
    """The coefficients as rows of a table."""
    rows = one.coefficients.to_dict("records")
    names = [term_name(str(row["of"]), int(row["lag"]), str(row["kind"])) for row in rows]
    return [{**{str(key): value for key, value in row.items()}, "name": name} for row, name in zip(rows, names)]


def term_name(of: str, lag: int, kind: str) -> tuple[str, str]:
    """A column of the regression in both languages."""
    if kind == "constant":
        return "Constant", "常数项"
    if kind == "season":
        return f"Quarter {lag} of the year against the first", f"第{lag}季度（相对第一季度）"
    en, zh = ("level", "水平") if kind == "b" else ("change in a year", "同比变动")
    when = (
        ("the same quarter", "当季") if lag == 0 else (f"{lag} quarter{'s' if lag > 1 else ''} before", f"滞后{lag}季")
    )
    return f"{of.replace('_', ' ')}, {en}, {when[0]}", f"{NAMES[of]}，{zh}，{when[1]}"


def drawing(one: Fitted, ahead: int) -> go.Figure:
    """Actual, fitted and out of sample over the quarters."""
    scale = 100 if one.unit == "%" else 1
    used = [name for name in LINES if one.path[name].notna().any() and (one.model or name in ("actual", "fitted"))]
    days = [f"{quarter[:4]}-{3 * int(quarter[-1]) - 2:02d}-01" for quarter in one.path.quarter]
    figure = go.Figure()
    for name in used:
        values = [None if pd.isna(value) else scale * value for value in one.path[name]]
        figure.add_scatter(x=days, y=values, mode="lines", text=one.path.quarter.tolist(), connectgaps=False,
                           line={"color": LINES[name][2], "dash": LINES[name][3], "width": 2},
                           hovertemplate="%{text}: %{y:.4g}")  # fmt: skip
    frame(figure, 380)
    figure.update_layout(showlegend=True, legend={"y": -0.12, "yanchor": "top"}, margin={"t": 16})
    figure.update_xaxes(type="date", tickformat="%Y")
    plain: dict[Lang, str] = {"en": "as in the history", "zh": "原始单位"}
    axis: dict[Lang, str] = {"en": "%", "zh": "%"} if one.unit == "%" else plain
    speak(figure, {lang: ({"name": [LINES[name][place].format(ahead) for name in used]},
                          {"yaxis.title.text": axis[lang]}) for place, lang in enumerate(LANGS)})  # fmt: skip
    return figure
