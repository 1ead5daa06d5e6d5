"""Pictures of data, training and scores: Altair charts, written as SVG and PNG without a browser.

Needs Altair and vl-convert. What a chart is given is binned or counted first, so files stay small. The colours
are those of Okabe and Ito, "Color Universal Design", 2008, which the colour-blind can tell apart; the background
is white on a dark page as well.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, Literal, cast

import altair as alt
import numpy as np

from textsent.describe import TELLING_Z, Description, TellingWord
from textsent.display import printable, shortened
from textsent.errors import InputError, OutputError
from textsent.evaluate import CALIBRATION_BINS, calibration_bins, evaluate, wilson

PNG_SCALE = 2
"""Pixels of the PNG for one of the SVG: sharp on screens of high density."""

POSITIVE, NEGATIVE, NEUTRAL = "#0072B2", "#D55E00", "#BBBBBB"
TRAINING, VALIDATION = "#E69F00", "#009E73"
INK, FAINT = "#333333", "#767676"

MAP_DOTS = 2000
"""Words that the embedding's map shows: the most frequent ones and those it names."""

MAP_NAMES = 20
"""Words of each class that the embedding's map names."""

_LABEL_LENGTH = 24  # characters
_LETTER_WIDTH, _LETTER_HEIGHT = 6.2, 11.0  # pixels of the labels at their font size, on average and rounded up
_BINS = 50  # of the histogram, at most
_TICKS = 7  # of the learning curves' figures, about

Picture = alt.LayerChart | alt.HConcatChart | alt.VConcatChart

_Floats = np.ndarray[Any, np.dtype[np.floating[Any]]]
_Numbers = np.ndarray[Any, np.dtype[np.int64]]
_Labels = np.ndarray[Any, np.dtype[np.int8]]
_Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels from the top left corner."""


def save(chart: Picture, folder: Path, name: str) -> None:
    """Write a chart as `name.svg`, and as `name.png` with PNG_SCALE times its width and height.

    Args:
        chart: What a function of this module returns.
        folder: Folder to write to; it is made where there is none.
        name: Name of the files, without ending.

    Raises:
        OutputError: A file can't be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        chart.save(folder / f"{name}.svg")
        chart.save(folder / f"{name}.png", scale_factor=PNG_SCALE)
    except OSError as exc:
        raise OutputError(
            f"the picture {name} can't be written to {folder}: {exc.strerror or exc}: name another folder"
        ) from exc


def learning_curves(history: Sequence[Mapping[str, Any]]) -> Picture:
    """Return loss and accuracy by epoch, side by side, of the training and the validation part.

    Args:
        history: An epoch each, in order: `number`; `loss`, `accuracy`, `validation_loss` and `validation_accuracy`,
            where there is one; `best`, whether it was the best so far. The last of the best is marked.

    Raises:
        InputError: There is no epoch.
    """
    if not history:
        raise InputError("there are no learning curves to draw: no epoch was finished. Train for one at least")
    best = next((epoch["number"] for epoch in reversed(history) if epoch.get("best")), None)
    loss = _curves(history, "loss", "binary cross-entropy, nats", best)
    accuracy = _curves(history, "accuracy", "share of texts on the right side", best)
    return _styled(alt.hconcat(loss, accuracy, spacing=80, bounds="flush"))


def word_count_chart(counts: _Numbers, window: int) -> Picture:
    """Return a histogram of the words a text, over a box plot on the same axis.

    The axis ends before the longest texts where these would squash the rest; the title says how many it leaves out.
    The box goes from quartile to quartile with the median in it, the whiskers to the last texts that are no more
    than 1.5 times its length away from it (Tukey, "Exploratory Data Analysis", 1977).

    Args:
        counts: Number of words of each text: int64, shape (texts,).
        window: Number of words that a model reads at once: a line says which share of the texts has more.
    """
    longest = int(counts.max(initial=0))
    low, median, high = np.quantile(counts, [0.25, 0.5, 0.75]).tolist() if len(counts) else [0.0] * 3
    room = int(max(1.1 * window, high + 3 * (high - low)))
    end = max(min(longest, room), 1)
    step = _round_step(end / _BINS)
    bins = end // step + 1
    end = bins * step - 1  # the last number of words that has a bin
    texts = np.bincount(counts[counts <= end] // step, minlength=bins)
    beyond = int((counts > end).sum())
    # A number of words takes the axis from half before to half behind it.
    bars = [
        {"from": first * step - 0.5, "to": (first + 1) * step - 0.5, "texts": int(number)}
        for first, number in enumerate(texts)
    ]
    scale = alt.Scale(domain=[-0.5, end + 0.5], nice=False)
    words = alt.X("from:Q", title=None, scale=scale, axis=alt.Axis(labels=False, grid=False, **_whole(end)))
    title = f"{len(counts):,} texts: median {f'{median:,.1f}'.removesuffix('.0')} words, longest {longest:,} words"
    over = _of_texts(int((counts > window).sum()), len(counts))
    remarks = [f"too long for the axis: {_of_texts(beyond, len(counts))}"] if beyond else []
    if window > end:
        remarks.append(f"more than {window:,} words: {over}")
    subtitle = "; ".join(remarks)
    histogram = (
        alt.Chart(alt.InlineData(values=bars), title=alt.Title(title, subtitle=subtitle))
        .mark_bar(color=POSITIVE, opacity=0.75, stroke="white", strokeWidth=0.5)
        .encode(
            words,
            alt.X2("to:Q"),
            alt.Y(
                "texts:Q",
                title="texts" if step == 1 else f"texts (bars {step:,} words wide)",
                scale=alt.Scale(domain=[0, 1.12 * max(int(texts.max()), 1)], nice=False),  # for the label
                axis=alt.Axis(**_whole(int(texts.max()))),
            ),
            y2=alt.datum(0),
        )
    )
    layers: list[alt.Chart] = [histogram]
    if window <= end:
        on_right = window < 0.6 * end
        line = alt.Chart(
            alt.InlineData(values=[{"from": window + 0.5, "label": f"more than {window:,} words: {over}"}])
        ).encode(words)
        layers += [
            line.mark_rule(color=NEGATIVE, strokeWidth=1.5, strokeDash=[5, 3]),
            line.mark_text(
                color=NEGATIVE, align="left" if on_right else "right", dx=6 if on_right else -6, y=8
            ).encode(text="label:N"),
        ]
    upper = _layers(*layers).properties(width=600, height=260)
    return _styled(alt.vconcat(upper, _box(counts, low, median, high, scale, end), spacing=4))


def embedding_map(words: Sequence[str], vectors: _Floats, tones: _Floats) -> Picture:
    """Return the words of an embedding in two dimensions, the most telling ones named.

    The dimensions are the first two principal components of the words shown, each turned so that it grows towards
    the words of positive texts.

    Args:
        words: By falling frequency. Shown are the first, and the named ones wherever they stand: MAP_DOTS in all.
        vectors: Their vectors: floats, shape (words, size).
        tones: Their z-scores, such as `textsent.describe.z_scores` gives: floats, shape (words,).

    Raises:
        InputError: The words, vectors and tones don't fit each other.
    """
    fits = vectors.ndim == 2 and vectors.shape[1] and len(vectors) == len(tones) == len(words)
    if not fits or not words:
        raise InputError(
            "a map takes words, and for each a vector and a tone. "
            f"Received: {len(words)} words, vectors of shape {vectors.shape}, {len(tones)} tones"
        )
    named = _most_telling(tones)
    others = np.setdiff1d(np.arange(len(words)), named)[: MAP_DOTS - len(named)]
    shown = np.concatenate([others, named]).astype(int)
    points, shares = _principal_components(vectors[shown].astype(np.float64), tones[shown])
    across, up = np.ptp(points, axis=0).tolist()
    width = 680
    height = round(min(max(width * up / max(across, 1e-9), 360), 560))
    unit = max(across / width, up / height, 1e-9) * 1.1  # of both axes: what is as far apart looks so
    middle = (points.max(axis=0) + points.min(axis=0)) / 2
    pixels = (points - middle) / unit * [1, -1] + [width / 2, height / 2]
    classes = np.where(tones >= TELLING_Z, "positive", np.where(tones <= -TELLING_Z, "negative", "neither"))
    dots = [
        {"x": round(x, 1), "y": round(y, 1), "class": str(classes[word])}
        for word, (x, y) in zip(shown, pixels.tolist(), strict=True)
    ]
    dots.sort(key=lambda dot: dot["class"] != "neither")  # the grey ones lie below
    labels = [_label(words[word]) for word in named]
    places = _place(labels, pixels[len(others) :].tolist(), width, height)
    names = [
        {"x": x, "y": y, "label": label, "class": str(classes[word]), "px": round(px, 1), "py": round(py, 1)}
        for word, label, place, (px, py) in zip(named, labels, places, pixels[len(others) :].tolist(), strict=True)
        if place
        for x, y in [place]
    ]
    titles = [
        f"{name} principal component ({share:.0%} of the variance)"
        for name, share in zip(("first", "second"), shares, strict=True)
    ]
    x = alt.X("x:Q", title=titles[0], scale=alt.Scale(domain=[0, width], nice=False), axis=_NO_TICKS)
    y = alt.Y("y:Q", title=titles[1], scale=alt.Scale(domain=[height, 0], nice=False), axis=_NO_TICKS)
    colour = alt.Color(
        "class:N",
        title="more frequent in texts that are",
        scale=alt.Scale(domain=["positive", "negative", "neither"], range=[POSITIVE, NEGATIVE, NEUTRAL]),
        legend=alt.Legend(orient="top", symbolOpacity=1, symbolSize=60, titleLimit=300),
    )
    title = f"The embedding of {len(shown):,} words, the most telling ones named"
    data = alt.Chart(alt.InlineData(values=dots), title=title)
    cloud = data.mark_circle(size=9, opacity=0.35, aria=False).encode(x, y, colour)
    named_words = alt.Chart(alt.InlineData(values=names))
    lines = named_words.mark_rule(opacity=0.4, strokeWidth=0.7).encode(x, y, alt.X2("px:Q"), alt.Y2("py:Q"), colour)
    marks = named_words.mark_circle(size=26, opacity=1).encode(alt.X("px:Q"), alt.Y("py:Q"), colour)
    texts = named_words.mark_text(fontSize=11, stroke="white", strokeWidth=3, strokeOpacity=0.8).encode(
        x, y, text="label:N"
    )
    letters = named_words.mark_text(fontSize=11).encode(x, y, colour, text="label:N")
    return _styled(_layers(cloud, lines, marks, texts, letters).properties(width=width, height=height))


def calibration_curve(scores: _Floats, labels: _Labels) -> Picture:
    """Return the share of positive texts by the score they got, over the number of texts of each bin.

    A well-calibrated model's points lie on the diagonal. The lines about a point are Wilson's 95 % interval (1927):
    how far chance alone takes it.

    Args:
        scores: float32, shape (texts,), 0 … 1; NaN where there is none.
        labels: int8, shape (texts,): 1 positive, 0 negative.
    """
    scored = ~np.isnan(scores)
    probabilities, truth = scores[scored].astype(np.float64), labels[scored] == 1
    places = calibration_bins(probabilities)
    texts = np.bincount(places, minlength=CALIBRATION_BINS)
    filled = np.flatnonzero(texts)
    counts = texts[filled]
    means = np.bincount(places, probabilities, CALIBRATION_BINS)[filled] / counts
    shares = np.bincount(places, truth, CALIBRATION_BINS)[filled] / counts
    low, high = wilson(shares * counts, counts, TELLING_Z)
    points = [
        {"score": score, "share": share, "low": below, "high": above}
        for score, share, below, above in zip(
            *(x.round(4).tolist() for x in (means, shares, low, high)), strict=True
        )
    ]
    bars = [
        {name: (place + part) / CALIBRATION_BINS for name, part in (("from", 0), ("middle", 0.5), ("to", 1))}
        | {"texts": int(number), "label": f"{number:,}" if number else ""}
        for place, number in enumerate(texts)
    ]
    error = evaluate(scores, labels).calibration_error
    subtitle = f"expected calibration error {error:.4f}, over {CALIBRATION_BINS} bins" if len(truth) else ""
    title = alt.Title(f"Calibration on {len(truth):,} texts", subtitle=subtitle)
    scale = alt.Scale(domain=[0, 1], nice=False)
    x = alt.X("score:Q", title=None, scale=scale, axis=alt.Axis(labels=False))
    y = alt.Y("share:Q", title="share of positive texts", scale=scale)
    ends = alt.InlineData(values=[{"score": 0, "share": 0}, {"score": 1, "share": 1}])
    diagonal = alt.Chart(ends, title=title).mark_line(color=FAINT, strokeDash=[4, 4], strokeWidth=1.5).encode(x, y)
    bins = alt.Chart(alt.InlineData(values=points)).encode(x)
    intervals = bins.mark_rule(color=POSITIVE, opacity=0.6, strokeWidth=1.5).encode(
        alt.Y("low:Q", scale=scale), alt.Y2("high:Q")
    )
    curve = bins.mark_line(
        color=POSITIVE, strokeJoin="round", point=alt.OverlayMarkDef(color=POSITIVE, size=45)
    ).encode(y)
    sizes = alt.Chart(alt.InlineData(values=bars)).encode(
        alt.X(
            "from:Q",
            title="score: the probability of positive that the model gives",
            scale=scale,
            axis=alt.Axis(grid=False),
        ),
        alt.Y(
            "texts:Q",
            title="texts",
            scale=alt.Scale(domain=[0, 1.2 * max(int(texts.max()), 1)], nice=False),  # room for the numbers
            axis=alt.Axis(grid=False, **({"tickCount": 3} | _whole(int(texts.max())))),
        ),
    )
    histogram = sizes.mark_bar(color=POSITIVE, opacity=0.75, stroke="white", strokeWidth=0.5).encode(
        alt.X2("to:Q"), y2=alt.datum(0)
    )
    numbers = sizes.mark_text(dy=-6, fontSize=9, color=INK).encode(alt.X("middle:Q"), text="label:N")
    upper = _layers(diagonal, intervals, curve).properties(width=420, height=340)
    lower = _layers(histogram, numbers).properties(width=420, height=90)
    return _styled(alt.vconcat(upper, lower, spacing=8))


def telling_bars(description: Description) -> Picture:
    """Return the most telling words of each class as bars of their z-scores, each with its counts.

    Args:
        description: What `textsent.describe.describe` returns.
    """
    words = (*description.telling_positive, *reversed(description.telling_negative))
    rows = [_bar(place, word) for place, word in enumerate(words)]
    title = "The words that tell the classes apart" if words else "No word tells the classes apart"
    subtitle = "beside a bar: times in positive texts : times in negative texts" if words else ""
    reach = max((abs(word.z) for word in words), default=1.0)
    y = alt.Y("place:O", axis=None, sort=None)
    bars = alt.Chart(alt.InlineData(values=rows), title=alt.Title(title, subtitle=subtitle)).encode(y)
    # Room beside the bars for their words, on one side, and their counts, on the other.
    scale = alt.Scale(domain=[-1.45 * reach, 1.45 * reach], nice=False)
    length = alt.X(
        "z:Q", title="z-score (right: more often in positive texts, left: in negative ones)", scale=scale
    )
    drawn = bars.mark_bar(opacity=0.85).encode(length, color=alt.Color("colour:N", scale=None))
    layers: list[alt.Chart] = [drawn]
    sides: list[tuple[Any, Literal["left", "right"], Literal["left", "right"], int]] = [
        (alt.datum.z > 0, "right", "left", 5),
        (alt.datum.z < 0, "left", "right", -5),
    ]
    for own_side, inner, outer, gap in sides:
        own = bars.transform_filter(own_side)
        layers += [
            own.mark_text(align=inner, dx=-gap, fontSize=12, color=INK).encode(x=alt.datum(0), text="word:N"),
            own.mark_text(align=outer, dx=gap, fontSize=10, color=FAINT).encode(length, text="counts:N"),
        ]
    return _styled(_layers(*layers).properties(width=560, height=alt.Step(19)))


_NO_TICKS = alt.Axis(labels=False, ticks=False, grid=False)


def _styled(chart: Any) -> Any:
    """Return a chart with what all have in common. Only the outermost chart may have it."""
    return (
        chart.configure(background="white", padding=12)
        .configure_view(stroke=None)
        .configure_title(anchor="start", fontSize=14, fontWeight=600, color=INK, subtitleColor=FAINT, offset=10)
        .configure_axis(
            titleFontWeight="normal",
            titleColor=INK,
            labelColor=INK,
            labelFlush=False,
            gridColor="#E6E6E6",
            domainColor=FAINT,
        )
        .configure_legend(titleFontWeight="normal", titleColor=INK, labelColor=INK)
    )


def _layers(*charts: alt.Chart) -> alt.LayerChart:
    """Return charts on top of each other, the first lowest."""
    return cast(alt.LayerChart, alt.layer(*charts))  # facets only where a chart is one


def _curves(history: Sequence[Mapping[str, Any]], figure: str, unit: str, best: int | None) -> alt.LayerChart:
    """Return the lines of one figure by epoch."""
    points = [
        {"epoch": epoch["number"], "part": part, "value": value}
        for part, key in (("training", figure), ("validation", f"validation_{figure}"))
        for epoch in history
        for value in [epoch.get(key)]
        if value is not None and isfinite(value)
    ]
    values = [point["value"] for point in points] or [0.0]
    margin = max(0.12 * (max(values) - min(values)), 0.005)
    first, last = history[0]["number"], history[-1]["number"]
    every = list(range(first, last + 1))
    x = alt.X(
        "epoch:Q",
        scale=alt.Scale(domain=[first - 0.4, last + 0.4], nice=False),
        axis=alt.Axis(grid=False, format="d", values=every if len(every) <= 15 else alt.Undefined),
    )
    most = min(max(values) + margin, 1) if figure == "accuracy" else max(values) + margin
    y = alt.Y(
        "value:Q",
        title=f"{figure} ({unit})",
        # As many ticks as the domain is rounded for: one at its top, so that titles side by side are level.
        scale=alt.Scale(domain=[max(min(values) - margin, 0), most], nice=_TICKS),
        axis=alt.Axis(tickCount=_TICKS),
    )
    kept = [point for point in points if point["epoch"] == best and point["part"] == "validation"]
    subtitle = f"ringed: the epoch kept, {best}, at {kept[0]['value']:.4f}" if kept else ""
    title = alt.Title(f"{figure.capitalize()} by epoch", subtitle=subtitle)
    parts = alt.Scale(domain=["training", "validation"], range=[TRAINING, VALIDATION])
    dashes = alt.Scale(domain=["training", "validation"], range=[[5, 3], [1, 0]])
    data = alt.Chart(alt.InlineData(values=points), title=title).encode(x, y)
    colour = alt.Color("part:N", title=None, scale=parts, legend=alt.Legend(orient="bottom", symbolType="stroke"))
    lines = data.mark_line(strokeWidth=2, strokeJoin="round").encode(
        colour, strokeDash=alt.StrokeDash("part:N", title=None, scale=dashes)
    )
    dots = data.mark_point(filled=True, size=40, opacity=1).encode(colour)
    ring = alt.Chart(alt.InlineData(values=kept)).mark_point(size=160, strokeWidth=1.5, color=INK).encode(x, y)
    return _layers(lines, dots, ring).properties(width=320, height=260)


def _box(counts: _Numbers, low: float, median: float, high: float, scale: alt.Scale, end: int) -> alt.LayerChart:
    """Return the box plot under the histogram."""
    near = counts[(counts >= low - 1.5 * (high - low)) & (counts <= high + 1.5 * (high - low))]
    box = {"low": low, "high": high, "median": median}
    rows = [box | {"from": int(near.min()), "to": int(near.max())}] if len(near) else []
    data = alt.Chart(alt.InlineData(values=rows))
    x = alt.X("from:Q", title="words a text", scale=scale, axis=alt.Axis(grid=False, **_whole(end)))
    whiskers = data.mark_rule(color=INK).encode(x, alt.X2("to:Q"))
    body = data.mark_bar(color=POSITIVE, size=22).encode(alt.X("low:Q", scale=scale), alt.X2("high:Q"))
    middle = data.mark_tick(color="white", size=22, thickness=2, opacity=1).encode(alt.X("median:Q", scale=scale))
    return _layers(whiskers, body, middle).properties(width=600, height=36)


def _whole(most: int) -> dict[str, Any]:
    """Return an axis's settings that put its ticks at whole numbers, of which `most` is the largest."""
    return {"values": [*range(most + 1)] if most <= 10 else alt.Undefined, "format": ",d"}


def _round_step(least: float) -> int:
    """Return the smallest of 1, 2, 5, 10, 20, 50, … that isn't below `least`."""
    power = 1
    while True:
        for factor in (1, 2, 5):
            if factor * power >= least:
                return factor * power
        power *= 10


def _of_texts(part: int, whole: int) -> str:
    return f"{part:,} of the texts ({part / max(whole, 1):.1%})"


def _most_telling(tones: _Floats) -> np.ndarray[Any, np.dtype[np.intp]]:
    """Return the places of the most telling words of each class, one of each in turn, the most telling first."""
    rising = np.argsort(tones, kind="stable")
    negative = rising[tones[rising] <= -TELLING_Z][:MAP_NAMES]
    falling = np.argsort(-tones, kind="stable")
    positive = falling[tones[falling] >= TELLING_Z][:MAP_NAMES]
    both = np.concatenate([positive, negative])
    return both[np.argsort(-np.abs(tones[both]), kind="stable")]


def _principal_components(vectors: _Floats, tones: _Floats) -> tuple[_Floats, list[float]]:
    """Return the words' places and the shares of the variance that the two dimensions have.

    Returns:
        points: float64, shape (words, 2).
        shares: Two numbers, 0 … 1.
    """
    centred = vectors - vectors.mean(axis=0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    points = np.zeros((len(vectors), 2))
    points[:, : len(axes[:2])] = centred @ axes[:2].T
    points *= np.where(points.T @ np.sign(tones) < 0, -1, 1)  # a component's sign means nothing: choose it
    variance = np.zeros(2)
    variance[: len(sizes[:2])] = sizes[:2] ** 2
    return points, (variance / max(float((sizes**2).sum()), 1e-30)).tolist()


def _place(
    labels: Sequence[str], points: Sequence[Sequence[float]], width: float, height: float
) -> list[tuple[float, float] | None]:
    """Return where the middle of each label goes so that none covers another or a named point.

    The first come first; None for a label that finds no room near its point.
    """
    taken: list[_Box] = [(x - 3, y - 3, x + 3, y + 3) for x, y in points]
    places: list[tuple[float, float] | None] = []
    for label, (px, py) in zip(labels, points, strict=True):
        half, tall = len(label) * _LETTER_WIDTH / 2, _LETTER_HEIGHT / 2
        for x, y in _candidates(px, py, half, tall):
            box = (x - half, y - tall, x + half, y + tall)
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= width and box[3] <= height
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                places.append((round(x, 1), round(y, 1)))
                break
        else:
            places.append(None)
    return places


def _candidates(x: float, y: float, half: float, tall: float) -> list[tuple[float, float]]:
    """Return where the middle of a label may go, the nearest places first: beside, above and below its point."""
    directions = [(1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1)]
    return [
        (x + dx * (half + gap), y + dy * (tall + gap)) for gap in (5, 12, 22, 34, 50, 70) for dx, dy in directions
    ]


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _label(word: str) -> str:
    """Return a word as a picture can show it: without what XML forbids, and not too long."""
    shown = "".join(letter for letter in printable(word) if unicodedata.category(letter) != "Cn")
    return shortened(shown, _LABEL_LENGTH)


def _bar(place: int, word: TellingWord) -> dict[str, Any]:
    return {
        "place": place,
        "word": _label(word.word),
        "z": round(word.z, 2),
        "counts": f"{word.positive:,} : {word.negative:,}",
        "colour": POSITIVE if word.z > 0 else NEGATIVE,
    }
