"""Charts of the tone of scored rows, as SVG for a page: Altair, drawn by vl-convert without a browser.

Text and axes have the page's colour, so that they are read on a light and on a dark one. A bar is a link within the
page, which a keyboard reaches too.
"""

from __future__ import annotations

import json
import re
from typing import Any

import altair as alt
import numpy as np
import vl_convert

from textsent.pictures import NEGATIVE, NEUTRAL, POSITIVE
from textsent.tone import SENTIMENTS, Rows, Timeline

COLOURS = dict(zip(SENTIMENTS, (NEGATIVE, NEUTRAL, POSITIVE), strict=True))

HISTOGRAM_BINS = 40

_WIDTH = 880  # pixels; the page makes it as wide as itself
_INK = "#7f7f7f"  # stands for the page's own colour
_BASE = "https://textsent.invalid/"  # which vl-convert wants before a link


def tone_over_time(line: Timeline) -> str:
    """Return the texts of each period by sentiment, over their mean score with its interval: an SVG element.

    A bar leads to `#from=DATE&to=DATE`, the first and the last day of its period.
    """
    bars, means = [], []
    for place, period in enumerate(line.periods):
        tone = period.tone
        for sentiment in SENTIMENTS:
            number = getattr(tone, sentiment)
            bars.append(
                {
                    "period": period.key,
                    "texts": number,
                    "sentiment": sentiment,
                    "order": SENTIMENTS.index(sentiment),
                    "link": f"{_BASE}#from={period.key}&to={period.last}",
                    "label": f"{period.name}: {number:,} of {tone.rows:,} {sentiment}",
                }
            )
        if tone.scored:
            means.append(
                {
                    "period": period.key,
                    "mean": tone.mean,
                    "low": tone.mean_low,
                    "high": tone.mean_high,
                    "label": f"{period.name}: mean score {tone.mean:.2f}",
                    "broken": any(place == found.period for found in line.breaks),
                }
            )
    keys = [period.key for period in line.periods]
    shown = keys[:: max(1, -(-len(keys) // 12))]
    x = alt.X(
        "period:O",
        title=None,
        scale=alt.Scale(domain=keys, paddingInner=0.1, paddingOuter=0),
        axis=alt.Axis(values=shown, labelAngle=0, labelOverlap="greedy"),
    )
    counts = (
        alt.Chart(_data(bars), height=200)
        .mark_bar()
        .encode(
            x=x,
            y=alt.Y("texts:Q", title="texts", axis=alt.Axis(tickCount=4, format="~s")),
            color=alt.Color(
                "sentiment:N",
                scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())),
                legend=alt.Legend(title=None, orient="top"),
            ),
            order="order:Q",
            href="link:N",
            description="label:N",
        )
    )
    base = alt.Chart(_data(means), height=110).encode(x=x)
    means_axis: dict[str, Any] = {
        "title": "mean score",
        "scale": alt.Scale(zero=False),
        "axis": alt.Axis(tickCount=4),
    }
    band = base.mark_rule(color=_INK, opacity=0.6).encode(
        y=alt.Y("low:Q", **means_axis),
        y2="high:Q",
        description="label:N",
    )
    dots = base.mark_point(filled=True, size=36, opacity=1).encode(
        y=alt.Y("mean:Q", **means_axis),
        color=alt.condition("datum.broken", alt.value(NEGATIVE), alt.value(_INK)),
        description="label:N",
    )
    return _svg(alt.vconcat(counts.properties(width=_WIDTH), (band + dots).properties(width=_WIDTH), spacing=12))


def score_histogram(rows: Rows) -> str:
    """Return how many rows have which score, by sentiment: an SVG element."""
    bins = []
    for code, sentiment in enumerate(SENTIMENTS):
        counts, edges = np.histogram(rows.scores[rows.sentiments == code], HISTOGRAM_BINS, (0, 1))
        bins += [
            {
                "low": low,
                "high": high,
                "rows": count,
                "sentiment": sentiment,
                "order": code,
                "label": f"{count:,} {sentiment} rows from {low:.3f} to {high:.3f}",
            }
            for count, low, high in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True)
            if count
        ]
    chart = (
        alt.Chart(_data(bins), height=160, width=_WIDTH)
        .mark_bar(binSpacing=1)
        .encode(
            x=alt.X("low:Q", bin="binned", title="score: 0 negative … 1 positive", axis=alt.Axis(tickCount=10)),
            x2="high:Q",
            y=alt.Y("rows:Q", title="rows", axis=alt.Axis(tickCount=4, format="~s")),
            color=alt.Color(
                "sentiment:N", scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), legend=None
            ),
            order="order:Q",
            description="label:N",
        )
    )
    return _svg(chart)


def _data(values: list[dict[str, Any]]) -> Any:
    return alt.Data(values=values)  # type: ignore[no-untyped-call]  # Altair's own


def _svg(chart: alt.Chart | alt.VConcatChart) -> str:
    """Return a chart as an SVG element without a size of its own, in the page's colours."""
    axes: dict[str, Any] = {
        "labelColor": _INK, "titleColor": _INK, "domainColor": _INK, "tickColor": _INK, "titleFontWeight": "normal",
        "labelFontSize": 12, "titleFontSize": 12, "grid": False,
    }  # fmt: skip
    styled = (
        chart.configure(background="transparent", font="sans-serif", padding=2)
        .configure_axis(**axes)
        .configure_legend(labelColor=_INK, labelFontSize=12)
        .configure_view(stroke=None)
    )
    drawn = vl_convert.vegalite_to_svg(json.dumps(styled.to_dict()))
    drawn = re.sub(r'^<svg .*?(viewBox="[0-9. ]+")[^>]*>', r"<svg \1>", drawn)
    return drawn.replace(_BASE, "").replace("xlink:href", "href").replace(_INK, "currentColor")
