"""The picture of where freed money went."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go

from liquidity.explain.words import money
from liquidity.report.canvas import BLUE, GREEN, INK, MILLION, RUST, frame, speak
from liquidity.report.flows import Link, node_name
from liquidity.report.numbers import LANGS

_HEIGHT, _PAD = 440, 22  # pixels
_MIDDLE = 0.4  # of the width: the labels of the middle and of the right stand between it and the right edge


def sankey(links: Sequence[Link], currency: str) -> go.Figure:
    """Freed money from groups of segments to what it was used for. `layout.meta` holds it in both languages."""
    nodes = list(dict.fromkeys(node for link in links for node in (link.source, link.target)))
    size = {node: max(_through(links, node)) for node in nodes}
    x, y = _places(nodes, size)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            valueformat=",.2f",
            valuesuffix=f" {currency} m",
            textfont={"color": INK, "size": 12},
            node={
                "color": [_node_colour(node) for node in nodes],
                "x": x,
                "y": y,
                "pad": _PAD,
                "thickness": 14,
                "line": {"width": 0},
            },
            link={
                "source": [nodes.index(link.source) for link in links],
                "target": [nodes.index(link.target) for link in links],
                "value": [link.amount / MILLION for link in links],
                "color": [_link_colour(link) for link in links],
            },
        )
    )
    frame(figure, height=_HEIGHT)
    figure.update_layout(margin={"l": 4, "r": 4, "t": 12, "b": 16})
    names = {
        lang: [
            # the labels of the middle stand in two lines, or they would meet those of the right on paper
            f"{node_name(node)[place]}{'<br>' if x_of == _MIDDLE else ' · '}{money(lang, size[node], currency)}"
            for node, x_of in zip(nodes, x)
        ]
        for place, lang in enumerate(LANGS)
    }
    speak(figure, {lang: ({"node.label": [names[lang]]}, {}) for lang in LANGS})
    return figure


def _through(links: Sequence[Link], node: tuple[str, str]) -> tuple[float, float]:
    """What comes into a node and what leaves it, CNY."""
    into = sum(link.amount for link in links if link.target == node)
    return into, sum(link.amount for link in links if link.source == node)


def _places(nodes: Sequence[tuple[str, str]], size: dict[tuple[str, str], float]) -> tuple[list[float], list[float]]:
    """Centres of the nodes, 0..1: groups left, middles below the stream to the same borrowers, uses right."""
    same = ("middle", "same_borrowers")
    columns = {
        0.001: [node for node in nodes if node[0] == "group"],
        _MIDDLE: [node for node in nodes if node[0] == "middle" and node != same],
        0.999: [*(node for node in nodes if node == same), *(node for node in nodes if node[0] == "use")],
    }
    whole = max(sum(size[node] for node in column) for column in columns.values())
    gap = _PAD / (_HEIGHT - 28)
    scale = (1 - gap * (max(len(column) for column in columns.values()) - 1)) / whole
    found: dict[tuple[str, str], tuple[float, float]] = {}
    for x, column in columns.items():
        top = 1 - sum(size[node] * scale for node in column) - gap * (len(column) - 1) if x == _MIDDLE else 0.0
        for node in column:
            found[node] = (x, min(max(top + size[node] * scale / 2, 0.001), 0.999))
            top += size[node] * scale + gap
    return [found[node][0] for node in nodes], [found[node][1] for node in nodes]


def _node_colour(node: tuple[str, str]) -> str:
    column, key = node
    if column == "group":
        return "#52616e"
    if column == "middle":
        return {"same_borrowers": GREEN, "other_borrowers": BLUE}.get(key, RUST)
    return BLUE if key in ("new_borrowers", "other_segments") else RUST


def _link_colour(link: Link) -> str:
    key = link.target[1] if link.target[0] == "middle" else link.source[1]
    rgb = {"same_borrowers": "47,125,109", "other_borrowers": "51,96,140"}.get(key, "180,85,45")
    return f"rgba({rgb},0.28)"
