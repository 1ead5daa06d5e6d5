"""The report: scored rows in, one page out that says what their tone is, how it moved, and shows the texts.

The page holds all that it needs: its style, its script, and a sample of the texts as data. Its content security
policy lets no other script run and nothing be loaded. The figures are of all rows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.resources import files
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from textsent.anonymity import STAND_INS, Names, without_addresses
from textsent.describe import TELLING_Z, TellingWord, telling_words
from textsent.display import printable, shortened, visible
from textsent.errors import OutputError
from textsent.extremes import place_of
from textsent.gather import Gathered, gather, picked
from textsent.page import check_page, filled, share, write_page
from textsent.presets import shipped_presets
from textsent.score import DEFAULT_MODEL, Scorer
from textsent.tone import (
    LEAST_TEXTS,
    NEGATIVE,
    NO_TIME,
    POSITIVE,
    SENTIMENTS,
    UNSCORED,
    Break,
    Group,
    Rows,
    Timeline,
    Tone,
    groups,
    timeline,
    tone_of,
    turned_threads,
)

if TYPE_CHECKING:
    from textsent.explain import Explanation

SHOWN_TEXTS = 1500
"""Texts that the page holds to be looked through, at most."""

SHOWN_CHARACTERS, EXTREME_CHARACTERS = 700, 3000
"""Characters of such a text, and of one that is shown with the words that moved it."""

EXTREMES = 12
"""Most negative, and most positive, texts that are shown so."""

SHOWN_GROUPS, SHOWN_THREADS, SHOWN_WORDS, SHOWN_BREAKS = 40, 8, 24, 4

_TEXTS_OF_A_GROUP = 4
_SEED = 1


@dataclass(frozen=True)
class ReportOptions:
    """What a report is to say.

    Attributes:
        by: Columns by whose values rows are grouped, beside a mail's sender, domain and list.
        date_column: Column of the dates; by default `date`, where there is one that holds any.
        text_column: Column of the texts; by default `text`, where there is one.
        prefix: Before the names of the columns that scoring added.
        format: Format of the inputs, by default what their suffixes say.
        model: The preset that says which words moved the most negative and the most positive texts; by default that
            which the input names, or else the shipped one. With `none`, or where the input names several, no words
            are marked.
        anonymize: Replace names and addresses.
        title: The page's title; by default the inputs' names.
    """

    by: tuple[str, ...] = ()
    date_column: str | None = None
    text_column: str | None = None
    prefix: str = ""
    format: str | None = None
    model: str | None = None
    anonymize: bool = False
    title: str | None = None


@dataclass(frozen=True)
class Shown:
    """A row as the page shows it.

    Attributes:
        row: Its place in its input, from 1 on.
        source: The input's name; empty where there is but one.
        date: `2026-03-02 09:30`, UTC; empty without a date.
        score: 0 negative … 1 positive.
        sentiment: One of SENTIMENTS.
        sender: Whom it is from; empty where that isn't known.
        subject: Its subject; empty where it has none.
        text: Its text, cut to some length.
        groups: For each grouping the value's place among those that the page shows; -1 where it shows it not.
    """

    row: int
    source: str
    date: str
    score: float
    sentiment: str
    sender: str
    subject: str
    text: str
    groups: tuple[int, ...]

    @property
    def place(self) -> str:
        """Where it is: `row 3`, `row 3 of may.parquet`."""
        return f"row {self.row}" + (f" of {self.source}" if self.source else "")


@dataclass(frozen=True)
class Piece:
    """A run of a text's characters.

    Attributes:
        text: The characters.
        effect: By how much it moved the score, in that of the strongest, -1 … 1; 0 where it didn't.
    """

    text: str
    effect: float = 0.0

    @property
    def strength(self) -> int:
        """How strong that is: 1, 2 or 3."""
        return min(3, int(3 * abs(self.effect)) + 1)


@dataclass(frozen=True)
class Report:
    """What the page says.

    Attributes:
        title: Of the page.
        tone: Of all rows.
        rows: All of them.
        line: The tone over time.
        groups: For each grouping its title, and the tone of its groups.
        turned: Threads that turned negative and that turned positive: the shown rows of each.
        extremes: The most negative and the most positive rows, each with its text in pieces.
        words: Those that set negative texts apart, and those that set the others apart.
        errors: Rows without a score by reason, the most frequent first.
        texts: Rows to look through.
        models: Names of the models that scored, and how many rows each; a name is empty where the input says none.
        marked_by: What says which words moved a score; empty where none are marked.
        facts: What else is to be known, by name.
        hidden: Whether names and addresses were replaced.
        headline: What the corpus's tone is and how it moved, in sentences.
        notes: What may make the figures other than they seem, in sentences.
    """

    title: str
    tone: Tone
    rows: Rows
    line: Timeline
    groups: tuple[tuple[str, tuple[Group, ...]], ...]
    turned: tuple[tuple[tuple[Shown, ...], ...], tuple[tuple[Shown, ...], ...]]
    extremes: tuple[tuple[tuple[Shown, tuple[Piece, ...]], ...], tuple[tuple[Shown, tuple[Piece, ...]], ...]]
    words: tuple[tuple[TellingWord, ...], tuple[TellingWord, ...]]
    errors: tuple[tuple[str, int], ...]
    texts: tuple[Shown, ...]
    models: Mapping[str, int]
    marked_by: str
    facts: Mapping[str, str]
    hidden: bool
    headline: tuple[str, ...]
    notes: tuple[str, ...]


def write_report(
    sources: Sequence[str | Path], output: Path, options: ReportOptions = ReportOptions(), overwrite: bool = False
) -> Report:
    """Write a page about scored rows; return what it says.

    Args:
        sources: Paths of scored Parquet, CSV or JSON Lines files, or of mailboxes with scores in their headers; not
            standard input.
        output: The page, `.html`.
        options: What it is to say.
        overwrite: Replace a file of that name.

    Raises:
        InputError: An input can't be read, isn't scored, or lacks a column.
        OptionError: Standard input is named, or a file twice.
        OutputError: The page can't be written.
    """
    check_page(output, overwrite)
    if any(Path(source).resolve() == output.resolve() for source in sources):
        raise OutputError(f"{output} is an input of the report: choose another name with --output")
    found = report(sources, options)
    write_page(render(found), output, overwrite)
    return found


def report(sources: Sequence[str | Path], options: ReportOptions = ReportOptions()) -> Report:
    """Return what a page about scored rows says; see `write_report`."""
    names = Names(options.anonymize)
    gathered = gather(
        sources,
        by=options.by,
        date=options.date_column,
        text=options.text_column,
        prefix=options.prefix,
        format=options.format,
        cleaned=without_addresses if options.anonymize else lambda texts: texts,
        met=names.learn,
    )
    rows, line = gathered.rows, timeline(gathered.rows)
    grouped = [
        (grouping, groups(rows, grouping.codes, list(grouping.values), SHOWN_GROUPS))
        for grouping in gathered.groupings
    ]
    grouped = [(grouping, found) for grouping, found in grouped if found]
    turned = turned_threads(rows, gathered.threads, SHOWN_THREADS)
    ends = [_extremes(rows.scores, rows.sentiments == kind, sign) for kind, sign in ((NEGATIVE, 1), (POSITIVE, -1))]
    codes = [
        (grouping.codes, {grouping.values[group.value]: place for place, group in enumerate(found)})
        for grouping, found in grouped
    ]
    listed = _sample(gathered, line, codes)
    threads = [row for kind in turned for thread in kind for row in (thread.rows[0], thread.rows[-1])]
    wanted = np.unique(np.concatenate([listed, *ends, np.array(threads, np.int64)]))
    texts = _texts(sources, gathered, wanted, options, names)
    source_names = _source_names([name for name, _ in gathered.inputs], options.anonymize)
    inputs = [(name, rows) for name, (_, rows) in zip(source_names, gathered.inputs, strict=True)]

    def shown(row: int, characters: int) -> Shown:
        values = texts[row]
        source, row_there = place_of(row + 1, inputs)
        return Shown(
            row=row_there,
            source=source,
            date=_date(int(rows.times[row])),
            score=round(float(rows.scores[row]), 4),
            sentiment=SENTIMENTS[int(rows.sentiments[row])],
            sender=names.person(values["from"]),
            subject=shortened(printable(names.text(values["subject"])), 200),
            text=shortened(names.text(_whole_words(visible(values["text"][: 8 * characters]))), characters),
            groups=tuple(where.get(int(own[row]), -1) for own, where in codes),
        )

    scorer = _explainer(options.model, gathered.models)
    extremes = [_unlike([shown(row, EXTREME_CHARACTERS) for row in rows_of.tolist()]) for rows_of in ends]
    tone = tone_of(rows.sentiments, rows.scores)
    words = [
        [word for word in found if abs(word.z) >= TELLING_Z and not word.word.isdigit()]
        for found in telling_words(gathered.other_words, gathered.negative_words, 3 * SHOWN_WORDS)
    ]
    return Report(
        title=options.title or _title(sources, options.anonymize),
        tone=tone,
        rows=rows,
        line=line,
        groups=tuple(
            (grouping.title, tuple(_named(group, grouping.name, names) for group in found))
            for grouping, found in grouped
        ),
        turned=tuple(  # type: ignore[arg-type]  # two of them
            tuple((shown(thread.rows[0], 240), shown(thread.rows[-1], 240)) for thread in kind) for kind in turned
        ),
        extremes=(_marked(extremes[0], scorer), _marked(extremes[1], scorer)),
        words=tuple(names.words(found)[:SHOWN_WORDS] for found in (words[1], words[0])),  # type: ignore[arg-type]
        errors=tuple(gathered.errors.most_common()),
        texts=tuple(shown(row, SHOWN_CHARACTERS) for row in listed.tolist()),
        models=gathered.models,
        marked_by="" if scorer is None else scorer.name or "",
        facts=_facts(scorer, gathered),
        hidden=options.anonymize,
        headline=headline(tone, line),
        notes=_notes(gathered, options),
    )


def headline(tone: Tone, line: Timeline) -> tuple[str, ...]:
    """Return what the tone of rows is and how it moved, in sentences."""
    if not tone.scored:
        return (f"None of the {tone.rows:,} rows has a score.",)
    of_what = "texts" if tone.scored == tone.rows else "texts with a score"
    said = [
        f"{share(tone.share)} of {tone.scored:,} {of_what} are negative (interval of 95 %: {tone.share_low:.1%} to "
        f"{tone.share_high:.1%}), {share(tone.positive / tone.scored)} positive"
        + (f", {share(tone.neutral / tone.scored)} neutral" if tone.neutral else "")
        + f". The mean score is {tone.mean:.2f}."
    ]
    for found in line.breaks[:SHOWN_BREAKS]:
        period = line.periods[found.period]
        worst = "worst" if found.is_worse else "best"
        others = [other.tone for other in line.periods if other is not period]
        of_others = sum(other.negative for other in others) / sum(other.scored for other in others)
        said.append(
            f"{period.name[0].upper()}{period.name[1:]} is the {worst} {_since(found, line)}: "
            f"{share(period.tone.share)} of its {period.tone.scored:,} texts are negative, {share(of_others)} in "
            f"the other {period.unit}s."
        )
    if line.change is not None:
        change = line.change
        moved = "more" if change.after > change.before else "fewer"
        said.append(
            f"From {line.periods[change.period].name} on {moved} texts are negative: {share(change.after)}, "
            f"before {share(change.before)}."
        )
    if len(line.periods) > 2 and not line.breaks and line.change is None:
        said.append(f"No {line.periods[0].unit} stands out, and no lasting change is sure.")
    return tuple(said)


def _notes(gathered: Gathered, options: ReportOptions) -> tuple[str, ...]:
    """Return what may make the figures other than they seem, in sentences."""
    said = []
    if len(gathered.models) > 1:
        said.append(
            f"Several models scored these rows, and scores may differ for that alone: {_models(gathered.models)}."
        )
    if gathered.unread:
        example = "" if options.anonymize else f", such as {shortened(printable(gathered.unread_example), 40)!r}"
        said.append(
            f"{_rows(gathered.unread)} a date that can't be read{example}: write dates like 2026-03-02, or "
            "2026-03-02T09:30:00+01:00."
        )
    if gathered.repeated >= _MANY_REPEATED * len(gathered.rows):
        said.append(f"{_rows(gathered.repeated)} the same text as a row before.")
    return tuple(said)


_MANY_REPEATED = 0.05
"""Share of the rows from which on it is told that their texts are those of others."""


def _rows(number: int) -> str:
    return f"{number:,} rows have" if number > 1 else "1 row has"


def _models(models: Mapping[str, int]) -> str:
    """Return the names of models, with how many rows each has scored where there are several."""
    known = [(name or "not said in the input", rows) for name, rows in models.items()]
    if len(known) == 1:
        return known[0][0]
    return ", ".join(
        f"{name} ({rows:,} row{'s'[: rows > 1]})" for name, rows in sorted(known, key=lambda one: -one[1])
    )


def _source_names(names: Sequence[str], is_anonymous: bool) -> list[str]:
    """Return what inputs are called beside a row: nothing where there is but one."""
    if len(names) == 1:
        return [""]
    if is_anonymous:
        return [f"file {number}" for number in range(1, len(names) + 1)]
    short = [Path(name).name for name in names]
    return short if len(set(short)) == len(short) else list(names)


def _since(found: Break, line: Timeline) -> str:
    """Return since when a period is the worst, or the best, and among which."""
    is_small = any(0 < period.tone.scored < LEAST_TEXTS for period in line.periods)
    among = f"{line.periods[0].unit}s with {LEAST_TEXTS} texts or more" if is_small else ""
    if found.since is not None:
        return f"since {line.periods[found.since].name}" + (f" among {among}" if among else "")
    sign = 1 if found.is_worse else -1
    own = line.periods[found.period].tone.share
    later = (other for other in line.breaks if other.period > found.period and other.is_worse == found.is_worse)
    is_first = any(sign * line.periods[other.period].tone.share >= sign * own for other in later)
    if is_first:
        return "until then" + (f" among {among}" if among else "")
    return f"of all {among}".rstrip()


def render(found: Report) -> str:
    """Return the page."""
    from textsent import tone_pictures

    group_names = [
        [title, [printable(group.value) for group in found_groups]] for title, found_groups in found.groups
    ]
    style, script = (
        files("textsent").joinpath("pages", name).read_text("utf-8") for name in ("page.css", "report.js")
    )
    rows = [
        [
            printable(one.place),
            one.date,
            one.score,
            SENTIMENTS.index(one.sentiment),
            one.sender,
            one.subject,
            one.text,
            one.groups,
        ]
        for one in found.texts
    ]
    line = tone_pictures.tone_over_time(found.line) if len(found.line.periods) > 1 else ""
    return filled(
        "report.html",
        report=found,
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src {_hash(style)}; script-src {_hash(script)}; base-uri 'none'",
        rows=_json(rows),
        group_names=_json(group_names),
        most_groups=SHOWN_GROUPS,
        line=line,
        histogram=tone_pictures.score_histogram(found.rows),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _hash(source: str) -> str:
    digest = hashlib.sha256(source.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _json(value: object) -> str:
    """Return JSON that ends no script element, whatever it holds."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _date(time: int) -> str:
    return "" if time == NO_TIME else datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d %H:%M")


def _whole_words(text: str) -> str:
    """Return a text that may have been cut without its last word, so that no half of an address is left."""
    return re.sub(r"\S{1,200}$", "", text) if len(text) > SHOWN_CHARACTERS else text


def _extremes(scores: Any, members: Any, sign: int) -> Any:
    """Return the places of rows with the lowest scores times `sign`: more than EXTREMES, since some are alike."""
    rows = np.flatnonzero(members)
    return rows[np.argsort(sign * scores[rows], kind="stable")[: 5 * EXTREMES]]


def _unlike(rows: Sequence[Shown]) -> list[Shown]:
    """Return the first EXTREMES rows of different texts."""
    return list({row.text: row for row in reversed(rows)}.values())[::-1][:EXTREMES]


def _sample(gathered: Gathered, line: Timeline, codes: Sequence[tuple[Any, Mapping[int, int]]]) -> Any:
    """Return places of rows to look through, rising: int64, shape (up to SHOWN_TEXTS,).

    All where they are few. Else some of each group that is shown, the most negative and the most positive ones of
    each period, and others by chance.
    """
    rows = gathered.rows
    scored = np.flatnonzero(rows.sentiments != UNSCORED)
    if len(scored) <= SHOWN_TEXTS:
        return scored
    random = np.random.default_rng(_SEED)
    chosen: list[Any] = []
    for own, where in codes:
        members = scored[np.isin(own[scored], list(where))]
        order = members[np.lexsort((rows.scores[members], own[members]))]
        place = np.arange(len(order)) - np.searchsorted(own[order], own[order])
        chosen.append(order[place < _TEXTS_OF_A_GROUP])
    if line.periods:
        edges = np.array([int(period.start.timestamp()) for period in line.periods])
        share = max(2, SHOWN_TEXTS // 2 // len(edges))
        period = np.searchsorted(edges, rows.times[scored], side="right")
        for sign in (1, -1):
            order = np.lexsort((sign * rows.scores[scored], period))
            place = np.arange(len(order)) - np.searchsorted(period[order], period[order])
            chosen.append(scored[order[place < share // 2 + 1]])
    ends = np.argsort(rows.scores[scored], kind="stable")
    chosen += [scored[ends[: SHOWN_TEXTS // 10]], scored[ends[-SHOWN_TEXTS // 10 :]], random.permutation(scored)]
    _, firsts = np.unique(np.concatenate(chosen), return_index=True)
    return np.sort(np.concatenate(chosen)[np.sort(firsts)[:SHOWN_TEXTS]])


def _texts(
    sources: Sequence[str | Path], gathered: Gathered, wanted: Any, options: ReportOptions, names: Names
) -> dict[int, dict[str, str]]:
    """Return sender, subject and text of rows by their places; empty strings where there are none."""
    columns = {"from": "from", "subject": "subject", "text": gathered.text}
    there = {key: name for key, name in columns.items() if name in gathered.columns}
    found = {}
    for row, values in picked(sources, wanted, list(dict.fromkeys(there.values())), options.format):
        of_row = {key: str(values[there[key]] or "") if key in there else "" for key in columns}
        found[row] = of_row
    return found


def _title(sources: Sequence[str | Path], is_anonymous: bool) -> str:
    return (
        "The tone of these texts"
        if is_anonymous
        else f"The tone of {', '.join(Path(one).name for one in sources[:3])}"
    )


def _named(group: Group, column: str, names: Names) -> Group:
    return replace(
        group, value=names.value(group.value) if column in ("from", "list_id") else names.text(group.value)
    )


def _explainer(asked: str | None, models: Mapping[str, int]) -> Scorer | None:
    """Return what says which words moved a score; None where nothing is to, or no one model, that is here, scored.

    Raises:
        PresetError: There is no model of the name that was asked for.
    """
    if asked is not None:
        return None if asked == "none" else Scorer.from_preset(asked, device="cpu")
    named = [name for name in models if name] or [DEFAULT_MODEL]
    # No folder: the name comes with the file, and the file may come from anyone.
    scored_by = named[0] if len(named) == 1 else ""
    return Scorer.from_preset(scored_by, device="cpu") if scored_by in shipped_presets() else None


def _marked(rows: Sequence[Shown], scorer: Scorer | None) -> tuple[tuple[Shown, tuple[Piece, ...]], ...]:
    """Return rows with their texts in pieces, by what moved their scores."""
    if scorer is None:
        return tuple((row, (Piece(row.text),)) for row in rows)
    from textsent.explain import explain

    return tuple(
        (row, _pieces(found)) for row, found in zip(rows, explain(scorer, [row.text for row in rows]), strict=True)
    )


def _pieces(explanation: Explanation) -> tuple[Piece, ...]:
    text = explanation.text or ""
    is_own = (text[max(0, word.start - 1) : word.end + 1] not in STAND_INS for word in explanation.words)
    explanation = replace(explanation, words=tuple(compress(explanation.words, is_own)))
    strongest = explanation.largest_effect
    shares = ((run, round(effect / strongest, 2)) for run, effect in explanation.runs())
    return tuple(Piece(run, effect if abs(effect) >= _FAINT else 0.0) for run, effect in shares)


_FAINT = 0.15
"""Share of the strongest effect under which a word isn't marked."""


def _facts(scorer: Scorer | None, gathered: Gathered) -> dict[str, str]:
    facts = {"textsent": version("textsent"), "scored by": _models(gathered.models)}
    if scorer is not None:
        calibration = scorer.model.calibration
        facts["calibration"] = f"temperature {calibration.temperature:.3f}, bias {calibration.bias:.3f}" + (
            "" if calibration.neutral is None else ", neutral from {:g} to {:g}".format(*calibration.neutral)
        )
    return facts
