import csv
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT))  # at the end: the textsent under test is the installed one

from benchmarks import domains  # noqa: E402
from benchmarks.domains import (  # noqa: E402
    DATA,
    DOMAINS,
    MAIL,
    LabelledSet,
    balanced_accuracy,
    figures,
    film_parts,
    precision_and_recall,
    read_set,
    three_classes,
    two_classes,
)
from textsent.errors import InputError  # noqa: E402

SETS = [DATA / MAIL, *(DATA / "domains" / f"{name}.csv" for name in DOMAINS)]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tiny(*labels: str) -> LabelledSet:
    return LabelledSet("tiny", [f"text {number}" for number in range(len(labels))], np.array(labels, str))


def by_name(found: Sequence[object]) -> dict[str, float]:
    return {figure.what: figure.value for figure in found}


def lexicon(texts: Sequence[str]) -> np.ndarray:
    return np.array([0.9 if "great" in text else 0.1 if "terrible" in text else 0.5 for text in texts])


@pytest.fixture
def small_folder(tmp_path: Path) -> Path:
    (tmp_path / "domains").mkdir()
    (tmp_path / MAIL).write_text(
        "id,product,text,label\n"
        'm1,bike,"the great\n\nservice",positive\n'
        "m2,bike,the terrible guys,negative\n"
        "m3,bike,the service,neutral\n",
        "utf-8",
    )
    for name in DOMAINS:
        (tmp_path / "domains" / f"{name}.csv").write_text(
            "text,label\nthe great guys,positive\nterrible,negative\n", "utf-8"
        )
    return tmp_path


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_text_stands_once_and_without_white_space_around_it(path: Path) -> None:
    texts = [row["text"] for row in rows(path)]
    assert len({" ".join(text.lower().split()) for text in texts}) == len(texts)
    assert [text for text in texts if text != text.strip() or not text] == []


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_the_readme_has_the_counts_of_each_set(path: Path) -> None:
    counts = Counter(row["label"] for row in rows(path))
    told = ", ".join(f"{counts[label]} {label}" for label in domains.LABELS if counts[label])
    name = path.relative_to(DATA).as_posix()
    line = next(
        line for line in (DATA / "README.md").read_text("utf-8").splitlines() if line.startswith(f"| `{name}`")
    )
    assert line.endswith(f"| {told} |")
    assert f"| {len(rows(path))} " in line


def test_mail_has_the_columns_and_ids_it_should_have() -> None:
    mails = rows(DATA / MAIL)
    assert list(mails[0]) == ["id", "product", "text", "label"]
    assert [mail["id"] for mail in mails] == [f"m{number:03d}" for number in range(1, len(mails) + 1)]
    assert all(mail["product"] for mail in mails)


def test_mail_is_of_many_products_and_lengths_in_three_classes() -> None:
    mails = rows(DATA / MAIL)
    counts = Counter(mail["label"] for mail in mails)
    words = [len(mail["text"].split()) for mail in mails]
    assert set(counts) == {"positive", "neutral", "negative"}
    assert min(counts.values()) >= 110
    assert len({mail["product"] for mail in mails}) >= 100
    assert 3 <= min(words) <= 5
    assert 150 <= max(words) <= 220


@pytest.mark.parametrize("name", DOMAINS)
def test_the_other_domains_are_in_balance(name: str) -> None:
    found = rows(DATA / "domains" / f"{name}.csv")
    assert list(found[0]) == ["text", "label"]
    assert Counter(row["label"] for row in found) == {"positive": 80, "negative": 80}


def test_addresses_in_the_texts_are_made_up() -> None:
    for path in SETS:
        for row in rows(path):
            for host in re.findall(r"\w@([\w-]+\.[\w.-]+)", row["text"]):
                assert host.rstrip(".").endswith("example.com")


def test_no_text_stands_in_the_training_data(imdb_train: Path) -> None:
    reviews = set(pq.read_table(imdb_train, columns=["text"]).column("text").to_pylist())
    assert not reviews & {row["text"] for path in SETS for row in rows(path)}


def test_a_label_that_is_not_known_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text,label\nok,positive\nhm,mixed\n", "utf-8")
    with pytest.raises(
        InputError, match=r"row 2: label must be one of positive, neutral, negative\. Received: 'mixed'"
    ):
        read_set(path)


def test_a_set_without_labels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text\nok\n", "utf-8")
    with pytest.raises(InputError, match=r"must have the columns text and label\. It lacks: label"):
        read_set(path)


def test_an_empty_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text,label\n,positive\n", "utf-8")
    with pytest.raises(InputError, match="row 1 has no text"):
        read_set(path)


def test_each_class_weighs_the_same_in_balanced_accuracy() -> None:
    labelled = tiny("positive", "negative", "negative", "negative", "neutral")
    assert balanced_accuracy(labelled, np.array([0.9, 0.9, 0.1, 0.1, 0.9])) == pytest.approx((1 + 2 / 3) / 2)


def test_half_is_positive_of_a_model_and_half_right_of_a_lexicon() -> None:
    labelled, scores = tiny("positive", "negative", "negative"), np.array([0.5, 0.5, 0.2])
    assert balanced_accuracy(labelled, scores) == pytest.approx((1 + 0.5) / 2)
    assert balanced_accuracy(labelled, scores, middle=0.5) == pytest.approx((0.5 + 0.75) / 2)


def test_a_text_without_a_score_is_half_right() -> None:
    labelled = tiny("positive", "negative")
    assert balanced_accuracy(labelled, np.array([np.nan, 0.1])) == 0.75
    assert balanced_accuracy(labelled, np.array([0.9, np.nan])) == 0.75


def test_texts_without_a_score_are_counted_and_in_no_mean() -> None:
    scores = np.array([np.nan, 0.8, 0.1], np.float32)
    found = by_name([*two_classes(tiny("positive", "positive", "negative"), scores, np.array([0.9, 0.5, 0.5]))])
    assert found["tiny: without a score"] == 1
    assert found["tiny: mean score of positive texts"] == pytest.approx(0.8)
    assert found["tiny: AUC"] == 1.0


def test_the_lexicon_is_measured_both_ways_and_by_auc() -> None:
    scores = np.array([0.9, 0.1], np.float32)
    found = by_name([*two_classes(tiny("positive", "negative"), scores, np.array([0.9, 0.5]))])
    assert found["tiny: balanced accuracy, VADER, from 0 on positive"] == 0.5
    assert found["tiny: balanced accuracy, VADER, 0 half right"] == 0.75
    assert found["tiny: AUC, VADER"] == 1.0


def test_neutral_texts_have_a_mean_but_no_part_in_two_classes() -> None:
    labelled = tiny("positive", "neutral", "negative")
    found = by_name([*two_classes(labelled, np.array([0.9, 0.6, 0.1], np.float32), np.array([0.9, 0.5, 0.1]))])
    assert found["tiny: 1 positive, 1 neutral, 1 negative"] == 3
    assert found["tiny: balanced accuracy"] == 1.0
    assert found["tiny: mean score of neutral texts"] == pytest.approx(0.6)


def test_precision_is_of_the_verdicts_and_recall_of_the_texts() -> None:
    labels = np.array(["positive", "positive", "neutral"])
    verdicts = np.array(["positive", "neutral", "neutral"])
    assert precision_and_recall(labels, verdicts, "positive") == (1.0, 0.5)
    assert precision_and_recall(labels, verdicts, "neutral") == (0.5, 1.0)


def test_the_ends_of_the_models_band_are_neutral_and_those_of_the_lexicon_polar() -> None:
    labelled = tiny("positive", "neutral", "neutral", "negative")
    scores = np.array([0.75, 0.25, 0.5, 0.125], np.float32)
    compounds = np.array([0.05, 0.04, -0.04, -0.05])
    found = by_name([*three_classes(labelled, scores, (0.25, 0.5), (compounds + 1) / 2)])
    assert found["tiny, neutral 0.25 to 0.50: balanced accuracy of three"] == 1.0
    assert found["tiny, VADER: balanced accuracy of three"] == 1.0


def test_a_text_without_a_score_has_no_verdict() -> None:
    labelled = tiny("positive", "neutral", "negative")
    scores = np.array([0.9, np.nan, 0.1], np.float32)
    found = by_name([*three_classes(labelled, scores, (0.4, 0.6), np.full(3, 0.5))])
    assert found["tiny, neutral 0.40 to 0.60: recall of neutral"] == 0.0
    assert found["tiny, neutral 0.40 to 0.60: precision of positive"] == 1.0


def test_all_sets_are_measured_and_their_mean_told(small_folder: Path, tiny_preset: Path) -> None:
    found = by_name([*figures(str(tiny_preset), lexicon=lexicon, folder=small_folder)])
    assert [found[f"{name}: 1 positive, 1 negative"] for name in DOMAINS] == [2, 2, 2]
    assert found["mail: 1 positive, 1 neutral, 1 negative"] == 3
    assert found["mail, neutral 0.33 to 0.67: recall of neutral"] in (0.0, 1.0)
    ours = [found[f"{name}: balanced accuracy"] for name in ("mail", *DOMAINS)]
    assert found["mean of 4 sets: balanced accuracy"] == pytest.approx(sum(ours) / 4)
    assert found["mean of 4 sets: balanced accuracy, VADER"] == 1.0
    assert found["sets on which it is below VADER"] == sum(value < 1 for value in ours)


def test_film_parts_are_of_the_reviews_that_were_held_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from textsent import parts
    from textsent.datasets import LabelledTexts

    long = "One two.<br /><br />Three four five six seven! " + " ".join(f"w{number}" for number in range(25)) + "."
    texts = pa.array([long, "Too short. No."])
    held_out = LabelledTexts(texts, np.array([1, 0], np.int8), texts, named_groups=False)
    monkeypatch.setattr(parts, "validation_part", lambda data, preset: held_out)
    path = tmp_path / "films.csv"
    path.write_text("text,label\ngood,pos\nbad,neg\n", "utf-8")
    found = {part.name: part for part in film_parts(path, str(tmp_path))}
    assert list(found) == [
        "films, 10 words", "films, 25 words", "films, 50 words", "films, a sentence", "films, sure sentences",
    ]  # fmt: skip
    (crop,) = found["films, 10 words"].texts
    assert len(crop.split()) == 10
    assert crop in " ".join(long.replace("<br />", " ").split())
    assert list(found["films, 10 words"].labels) == ["positive"]
    assert found["films, 50 words"].texts == []
    (sentence,) = found["films, a sentence"].texts
    assert sentence == "Three four five six seven!" or sentence.startswith("w0 ")


def test_the_same_film_parts_are_drawn_each_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from textsent import parts
    from textsent.datasets import LabelledTexts

    texts = pa.array([" ".join(f"w{number}" for number in range(90))])
    held_out = LabelledTexts(texts, np.array([1], np.int8), texts, named_groups=False)
    monkeypatch.setattr(parts, "validation_part", lambda data, preset: held_out)
    path = tmp_path / "films.csv"
    path.write_text("text,label\ngood,pos\nbad,neg\n", "utf-8")
    once, again = ([part.texts for part in film_parts(path, str(tmp_path))] for _ in range(2))
    assert once == again
