"""The figures as pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import altair as alt

from benchmarks.measure import Figure

_SIZE = {"width": 320, "height": 240}
_AXIS = alt.Axis(grid=False)


def write_plots(figures: Sequence[Figure], folder: Path) -> None:
    """Write `growth.svg` and `accuracy.svg`, of the points that were measured."""
    folder.mkdir(parents=True, exist_ok=True)
    growing = _points(figures, "growth")
    if growing:
        files = [point for point in growing if point["name"] != "words"]
        texts = [point for point in growing if point["name"] == "words"]
        by_file = _growth(files, "megabytes", "seconds", "a file")
        by_text = _growth(texts, "words", "milliseconds", "a text")
        (by_file | by_text).resolve_scale(color="independent").save(folder / "growth.svg")
    compared = _points(figures, "peers")
    if compared:
        _accuracy(compared).save(folder / "accuracy.svg")


def _points(figures: Sequence[Figure], group: str) -> list[dict[str, object]]:
    found = (figure.series for figure in figures if figure.group == group)
    return [{"name": series[0], "x": series[1], "y": series[2]} for series in found if series]


def _growth(points: list[dict[str, object]], x: str, y: str, of: str) -> alt.Chart:
    return (
        alt.Chart(alt.Data(values=points), title=f"{y.capitalize()} by the {x} of {of}")
        .mark_line(point=True)
        .encode(
            alt.X("x:Q", title=x, scale=alt.Scale(type="log"), axis=_AXIS),
            alt.Y("y:Q", title=y, scale=alt.Scale(type="log"), axis=_AXIS),
            alt.Color("name:N", title=None, legend=alt.Legend() if len({p["name"] for p in points}) > 1 else None),
        )
        .properties(**_SIZE)
    )


def _accuracy(points: list[dict[str, object]]) -> alt.LayerChart:
    chart = alt.Chart(
        alt.Data(values=points), title="Accuracy on held-out film reviews against texts a second"
    ).encode(
        alt.X("x:Q", title="texts/s, both cores", scale=alt.Scale(type="log", padding=60), axis=_AXIS),
        alt.Y("y:Q", title="accuracy", scale=alt.Scale(zero=False, padding=15)),
    )
    return (
        chart.mark_point(filled=True, size=70) + chart.mark_text(dx=-9, align="right").encode(text="name:N")
    ).properties(width=620, height=320)
