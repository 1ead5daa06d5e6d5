import json
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textsent.describe import Description, TellingWord
from textsent.errors import InputError, OutputError
from textsent.evaluate import wilson
from textsent.pictures import (
    MAP_DOTS,
    MAP_NAMES,
    NEGATIVE,
    POSITIVE,
    _label,
    _overlap,
    _place,
    _principal_components,
    _round_step,
    calibration_curve,
    embedding_map,
    learning_curves,
    save,
    telling_bars,
    word_count_chart,
)

NAN = float("nan")
HOSTILE = ["<script>alert(1)</script>", '"quoted"', "it's", "a&b", "[bold]", "\x08\x1b[31mred\ufffe", "10", "=1+1"]


def epoch(number: int, best: bool = False, **figures) -> dict:
    return {
        "number": number, "loss": 0.5 / number, "validation_loss": 0.6 / number, "validation_accuracy": 0.8,
        "seconds": 1.5, "best": best,
    } | figures  # fmt: skip


def described(positive: list[str], negative: list[str]) -> Description:
    return Description(
        texts=4, positive=2, negative=2, groups=None, words=9, unique_words=4, mean=2.0, spread=1.0, median=2.0,
        quantile_10=1.0, quantile_90=3.0, quantile_99=3.0, longest=3, window=400, over_window=0.0, empty=0,
        duplicates=0,
        telling_positive=tuple(TellingWord(word, 9.0 - place, 1200, 34) for place, word in enumerate(positive)),
        telling_negative=tuple(TellingWord(word, place - 9.0, 5, 678) for place, word in enumerate(negative)),
    )  # fmt: skip


def texts_of(chart, folder: Path) -> list[str]:
    """The texts of a chart's SVG."""
    save(chart, folder, "picture")
    root = ElementTree.parse(folder / "picture.svg").getroot()
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    return [element.text for element in root.iter() if element.tag.endswith("}text") and element.text]


def rows(chart) -> list[dict]:
    """All rows of data that a chart holds."""
    found = []

    def look(part):
        if isinstance(part, dict):
            found.extend(part["values"] if isinstance(part.get("values"), list) else [])
            for value in part.values():
                look(value)
        elif isinstance(part, list):
            for value in part:
                look(value)

    specification = chart.to_dict()
    look([specification.get("datasets", {}), specification])
    for values in specification.get("datasets", {}).values():
        found.extend(values)
    return [row for row in found if isinstance(row, dict)]


def filled(texts: int = 50) -> tuple[np.ndarray, np.ndarray]:
    draws = np.random.default_rng(0)
    scores = draws.random(texts).astype(np.float32)
    return scores, (draws.random(texts) < scores).astype(np.int8)


def some_map(words: list[str], tones: list[float] | None = None):
    draws = np.random.default_rng(0)
    vectors = draws.normal(size=(len(words), 8)).astype(np.float32)
    return embedding_map(words, vectors, np.array(tones or draws.normal(size=len(words)) * 10))


CHARTS = {
    "learning": lambda: learning_curves([epoch(1, True), epoch(2)]),
    "words": lambda: word_count_chart(np.array([3, 5, 8, 500]), 400),
    "map": lambda: some_map(["great", "bad", "film"]),
    "calibration": lambda: calibration_curve(*filled()),
    "telling": lambda: telling_bars(described(["great"], ["bad"])),
}


@pytest.mark.parametrize("name", CHARTS)
def test_a_picture_is_an_svg_and_a_png_of_twice_its_size_on_white(name, tmp_path):
    save(CHARTS[name](), tmp_path / "new" / "folder", name)
    assert sorted(file.name for file in (tmp_path / "new" / "folder").iterdir()) == [f"{name}.png", f"{name}.svg"]
    root = ElementTree.parse(tmp_path / "new" / "folder" / f"{name}.svg").getroot()
    background = next(element for element in root if element.tag.endswith("rect"))
    assert background.get("fill") == "white"
    png = (tmp_path / "new" / "folder" / f"{name}.png").read_bytes()
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    assert width == pytest.approx(2 * float(root.get("width")), abs=2)
    assert height == pytest.approx(2 * float(root.get("height")), abs=2)


def test_a_picture_that_is_there_is_replaced(tmp_path):
    for _ in range(2):
        save(CHARTS["telling"](), tmp_path, "telling")
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"the picture telling can't be written to .*file.*: name another folder"):
        save(CHARTS["telling"](), tmp_path / "file", "telling")


def test_learning_curves_show_both_figures_and_ring_the_last_of_the_best_epochs(tmp_path):
    history = [epoch(1, True), epoch(2, True, validation_accuracy=0.87654), epoch(3)]
    texts = texts_of(learning_curves(history), tmp_path)
    assert {"Loss by epoch", "Accuracy by epoch", "training", "validation", "1", "2", "3"} <= set(texts)
    assert "ringed: the epoch kept, 2, at 0.8765" in texts


def test_learning_curves_of_one_epoch_are_points(tmp_path):
    texts = texts_of(learning_curves([epoch(1, True, accuracy=0.7)]), tmp_path)
    assert texts.count("1") == 2  # a tick in each of the two
    assert "ringed: the epoch kept, 1, at 0.8000" in texts


def test_figures_that_an_epoch_lacks_are_left_out():
    history = [epoch(1, accuracy=None), epoch(2, accuracy=0.75, validation_accuracy=NAN)]
    history[0].pop("validation_loss")
    values = [(row["epoch"], row["part"], row["value"]) for row in rows(learning_curves(history)) if "part" in row]
    assert sorted(set(values)) == [
        (1, "training", 0.5), (1, "validation", 0.8), (2, "training", 0.25), (2, "training", 0.75),
        (2, "validation", 0.3),
    ]  # fmt: skip


def test_learning_curves_without_a_best_epoch_or_a_single_figure_can_be_drawn(tmp_path):
    assert not [text for text in texts_of(learning_curves([epoch(1), epoch(2)]), tmp_path) if "ringed" in text]
    texts_of(learning_curves([{"number": 1}]), tmp_path)


def test_the_axis_of_accuracy_does_not_go_beyond_one(tmp_path):
    history = [epoch(number, accuracy=1.0, validation_accuracy=0.99) for number in (1, 2)]
    numbers = [text for text in texts_of(learning_curves(history), tmp_path) if text.startswith("1.0")]
    assert set(numbers) <= {"1.0", "1.00", "1.000"}


def test_many_epochs_have_ticks_at_some_of_them(tmp_path):
    texts = texts_of(learning_curves([epoch(number) for number in range(1, 41)]), tmp_path)
    assert "40" in texts
    assert "39" not in texts


def test_no_epoch_is_an_error():
    with pytest.raises(InputError, match="no epoch was finished"):
        learning_curves([])


def test_the_histogram_counts_every_text_on_its_axis_once():
    counts = np.array([0, 1, 1, 7, 120, 399, 400, 401, 5000])
    bars = [row for row in rows(word_count_chart(counts, 400)) if "texts" in row]
    end = max(bar["to"] for bar in bars)
    assert sum(bar["texts"] for bar in bars) == (counts < end).sum()
    for bar in bars:
        assert bar["texts"] == ((counts > bar["from"]) & (counts < bar["to"])).sum()


def test_the_histogram_says_what_it_leaves_out_and_what_is_longer_than_the_window(tmp_path):
    counts = np.array([10] * 6 + [20] * 2 + [450, 90_000])
    texts = texts_of(word_count_chart(counts, 400), tmp_path)
    assert "10 texts: median 10 words, longest 90,000 words" in texts
    assert "too long for the axis: 2 of the texts (20.0%)" in texts
    assert "more than 400 words: 2 of the texts (20.0%)" in texts


def test_a_window_longer_than_every_text_is_spoken_of_in_the_title(tmp_path):
    texts = texts_of(word_count_chart(np.array([3, 4]), 400), tmp_path)
    assert "2 texts: median 3.5 words, longest 4 words" in texts
    assert "more than 400 words: 0 of the texts (0.0%)" in texts


def test_the_box_has_the_quartiles_and_whiskers_that_end_at_texts_nearby():
    boxes = [row for row in rows(word_count_chart(np.array([2, 4, 5, 6, 8, 30]), 400)) if "median" in row]
    assert boxes[0] == {"low": 4.25, "median": 5.5, "high": 7.5, "from": 2, "to": 8}


@pytest.mark.parametrize("counts", [[], [0], [0, 0, 0], [1], [400] * 5, [10**7]])
def test_a_histogram_of_few_or_equal_texts_can_be_drawn(counts, tmp_path):
    assert "words a text" in texts_of(word_count_chart(np.array(counts, np.int64), 400), tmp_path)


def test_the_chart_of_many_texts_holds_few_rows():
    counts = np.random.default_rng(0).integers(0, 3000, 50_000)
    assert len(rows(word_count_chart(counts, 400))) < 300


@given(st.floats(0.001, 10**6))
def test_a_bar_s_width_is_the_next_round_number(least):
    step = _round_step(least)
    assert step >= least
    assert step == 1 or step <= 2.5 * least
    assert str(step).rstrip("0") in ("1", "2", "5")


def test_the_map_names_the_most_telling_words_in_their_class_s_colour(tmp_path):
    words = ["the", "great", "bad", "film"]
    chart = some_map(words, [0.5, 30.0, -20.0, 1.0])
    texts = texts_of(chart, tmp_path)
    assert {"great", "bad", "positive", "negative", "neither"} <= set(texts)
    assert not {"the", "film"} & set(texts)
    svg = ElementTree.parse(tmp_path / "picture.svg")
    colours = {element.text: element.get("fill") for element in svg.iter() if element.tag.endswith("}text")}
    assert (colours["great"], colours["bad"]) == (POSITIVE, NEGATIVE)


def test_the_map_shows_only_so_many_words_and_the_telling_ones_among_them():
    words = [f"word{place}" for place in range(2 * MAP_DOTS)]
    tones = [0.0] * (2 * MAP_DOTS - 1) + [50.0]
    found = rows(some_map(words, tones))
    assert len([row for row in found if "class" in row and "label" not in row]) == MAP_DOTS
    assert {row["label"] for row in found if "label" in row} == {words[-1]}


def test_the_map_names_so_many_words_of_each_class_at_most():
    found = rows(some_map([f"w{place}" for place in range(300)], [50.0] * 150 + [-50.0] * 150))
    named = {row["label"]: row["class"] for row in found if "label" in row}
    assert list(named.values()).count("positive") <= MAP_NAMES
    assert list(named.values()).count("negative") <= MAP_NAMES
    assert named


@pytest.mark.parametrize(("words", "size"), [(1, 4), (2, 1), (3, 2), (1, 1)])
def test_a_map_of_few_words_or_one_dimension_can_be_drawn(words, size, tmp_path):
    vectors = np.arange(words * size, dtype=np.float32).reshape(words, size)
    texts = texts_of(
        embedding_map(["great", "bad", "film"][:words], vectors, np.array([9.0, -9, 0][:words])), tmp_path
    )
    assert "great" in texts


def test_a_map_of_equal_vectors_and_no_telling_words_can_be_drawn(tmp_path):
    texts_of(embedding_map(["a", "b"], np.ones((2, 3), np.float32), np.zeros(2)), tmp_path)


@pytest.mark.parametrize(
    ("words", "shape", "tones"),
    [(["a"], (2, 3), [1.0]), (["a"], (1, 3), []), (["a"], (1,), [1.0]), ([], (0, 3), []), (["a"], (1, 0), [1.0])],
)
def test_words_vectors_and_tones_that_do_not_fit_are_an_error(words, shape, tones):
    with pytest.raises(InputError, match="for each a vector and a tone"):
        embedding_map(words, np.zeros(shape, np.float32), np.array(tones))


def test_the_principal_components_find_the_plane_that_the_words_lie_in():
    draws = np.random.default_rng(0)
    plane = draws.normal(size=(40, 2)) * [5, 2]
    turned = plane @ np.linalg.qr(draws.normal(size=(6, 6)))[0][:2] + 7
    points, shares = _principal_components(turned, plane[:, 0])
    assert sum(shares) == pytest.approx(1)
    distances = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    assert np.linalg.norm(points[:, None] - points[None], axis=2) == pytest.approx(distances)
    assert points[:, 0] @ np.sign(plane[:, 0]) > 0


places = st.tuples(st.floats(0, 400), st.floats(0, 300))


@given(st.lists(st.tuples(st.text("abc", min_size=1, max_size=12), places), max_size=25))
def test_labels_cover_neither_each_other_nor_a_point_nor_the_border(named):
    labels, points = [label for label, _ in named], [list(point) for _, point in named]
    boxes = [(x - 3, y - 3, x + 3, y + 3) for x, y in points]
    for label, place in zip(labels, _place(labels, points, 400, 300), strict=True):
        if place:
            half = len(label) * 6.2 / 2 - 0.1  # places are rounded to a tenth
            box = (place[0] - half, place[1] - 5.4, place[0] + half, place[1] + 5.4)
            assert box[0] >= -0.1
            assert box[2] <= 400.1
            assert not any(_overlap(box, other) for other in boxes)
            boxes.append(box)


def test_the_calibration_curve_has_a_point_for_each_bin_that_has_texts():
    scores = np.array([0.01, 0.03, 0.5, 0.5, 1.0, NAN], np.float32)
    found = rows(calibration_curve(scores, np.array([0, 1, 1, 1, 1, 0], np.int8)))
    points = {row["score"]: row["share"] for row in found if "low" in row}
    assert points == {0.02: 0.5, 0.5: 1.0, 1.0: 1.0}
    bars = [row for row in found if "texts" in row][:15]
    assert [bar["texts"] for bar in bars] == [2, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1]
    assert (bars[7]["from"], bars[7]["to"]) == (7 / 15, 8 / 15)


def test_the_calibration_curve_says_how_many_texts_and_the_error(tmp_path):
    scores, labels = np.array([0.75] * 1200, np.float32), np.array([1] * 900 + [0] * 300, np.int8)
    texts = texts_of(calibration_curve(scores, labels), tmp_path)
    assert "Calibration on 1,200 texts" in texts
    assert "expected calibration error 0.0000, over 15 bins" in texts
    assert "1,200" in texts


@pytest.mark.parametrize("scores", [[], [NAN, NAN]])
def test_no_scores_have_the_diagonal_alone(scores, tmp_path):
    chart = calibration_curve(np.array(scores, np.float32), np.array([1] * len(scores), np.int8))
    assert "Calibration on 0 texts" in texts_of(chart, tmp_path)
    assert not [row for row in rows(chart) if "low" in row]


def test_the_interval_of_a_share_is_wilson_s():
    low, high = wilson(np.array([0, 50]), np.array([10, 100]))
    assert low == pytest.approx([0, 0.4038], abs=1e-4)
    assert high == pytest.approx([0.2775, 0.5962], abs=1e-4)


def test_telling_bars_show_each_word_with_its_counts_the_positive_ones_first(tmp_path):
    texts = texts_of(telling_bars(described(["great", "best"], ["bad"])), tmp_path)
    assert {"great", "best", "bad", "1,200 : 34", "5 : 678"} <= set(texts)
    found = [row for row in rows(telling_bars(described(["great", "best"], ["bad", "dull"]))) if "word" in row]
    assert [row["word"] for row in found[:4]] == ["great", "best", "dull", "bad"]


@pytest.mark.parametrize(("positive", "negative"), [([], ["bad"]), (["great"], [])])
def test_a_class_without_telling_words_has_no_bars(positive, negative, tmp_path):
    texts = texts_of(telling_bars(described(positive, negative)), tmp_path)
    assert set(positive + negative) <= set(texts)


def test_where_no_word_tells_the_classes_apart_the_picture_says_so(tmp_path):
    assert "No word tells the classes apart" in texts_of(telling_bars(described([], [])), tmp_path)


def test_words_that_look_like_code_stay_text(tmp_path):
    shown = [_label(word) for word in HOSTILE]
    assert shown[-3:] == ["[31mred", "10", "=1+1"]
    assert set(shown) <= set(texts_of(telling_bars(described(HOSTILE, [])), tmp_path))
    named = texts_of(some_map(HOSTILE, [9.0] * len(HOSTILE)), tmp_path)
    assert set(shown) <= set(named)


def test_words_that_look_the_same_when_shortened_have_a_bar_each():
    found = rows(telling_bars(described(["x" * 40, "x" * 50], [])))
    assert {row["place"]: row["word"] for row in found if "word" in row} == {0: "x" * 23 + "…", 1: "x" * 23 + "…"}


@given(st.text())
def test_a_label_is_short_and_what_xml_allows(word):
    label = _label(word)
    assert len(label) <= 24
    assert ElementTree.fromstring(f"<text>{label.translate({38: None, 60: None, 62: None})}</text>") is not None


def test_a_chart_can_be_written_as_json():
    for chart in CHARTS.values():
        assert json.loads(json.dumps(chart().to_dict(), allow_nan=False))


def test_a_class_of_many_telling_words_makes_the_picture_taller(tmp_path):
    heights = []
    for count in (3, 30):
        save(telling_bars(described([f"w{place}" for place in range(count)], [])), tmp_path, "bars")
        heights.append(float(ElementTree.parse(tmp_path / "bars.svg").getroot().get("height")))
    assert heights[1] - heights[0] == pytest.approx(27 * 19, abs=2)


def test_the_z_score_of_a_bar_is_its_word_s():
    description = described(["great"], [])
    description = replace(description, telling_positive=(TellingWord("great", 12.347, 9, 1),))
    assert {row["z"] for row in rows(telling_bars(description)) if "word" in row} == {12.35}
