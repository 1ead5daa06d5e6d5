"""Which of the labelled texts a training learns from, chooses by, and is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from textsent.datasets import LabelledTexts
from textsent.errors import InputError, OptionError, PresetError
from textsent.options import Options
from textsent.presets import METADATA_FILE, read_json

_TEST = "test"  # names the draw of the test part, so that it is another than that of the validation part


@dataclass(frozen=True)
class Parts:
    """Labelled texts cut in two or three.

    Attributes:
        training: To learn from; none of its texts stands in another part.
        validation: To choose the best epoch by.
        test: To measure the result by; None where none was asked for.
    """

    training: LabelledTexts
    validation: LabelledTexts
    test: LabelledTexts | None

    @property
    def cut_by_group(self) -> bool:
        """Whether no group has texts in two parts, as far as groups are named."""
        parts = (
            [self.training, self.validation] if self.test is None else [self.training, self.validation, self.test]
        )
        return all(part.named_groups for part in parts)

    @property
    def held_out(self) -> pa.Array:
        """The texts that nothing may be learnt from: array of large strings."""
        parts = [self.validation] if self.test is None else [self.validation, self.test]
        return pa.concat_arrays([part.texts.cast(pa.large_string()) for part in parts])


def cut(
    data: LabelledTexts,
    options: Options,
    validation: LabelledTexts | None = None,
    test: LabelledTexts | None = None,
) -> Parts:
    """Cut labelled texts as the options say; no group is on both sides of a cut.

    Args:
        data: Labelled texts.
        options: Shares, limit and seed.
        validation: A validation part from elsewhere, in place of a share.
        test: A test part from elsewhere, in place of a share.
    """
    if options.limit:
        data = data.limited(options.limit, options.seed)
    share = options.validation or 0.0
    if test is None and options.test:
        data, test = data.split(options.test, options.seed, _TEST)
        share /= 1 - options.test
    # Some reviews were posted twice, also under two films.
    if test is not None:
        data = data.where(~_shared(data, test))
    if validation is None:
        data, validation = data.split(share, options.seed)
    return Parts(data.where(~_shared(data, validation)), validation, test)


def _shared(texts: LabelledTexts, others: LabelledTexts) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether each text, or where both name groups its group, stands in others too: bool, shape (texts,)."""
    shared = stands_in(texts.texts, others.texts)
    if texts.named_groups and others.named_groups:
        shared |= stands_in(texts.groups, others.groups)
    return shared


def validation_part(data: LabelledTexts, preset: Path) -> LabelledTexts:
    """Return the part of the data that was held out to validate with when the preset was trained on it.

    Raises:
        InputError: It was trained on other data, or validated on a file of its own.
        PresetError: Its metadata don't say what was held out.
    """
    metadata = read_json(preset / METADATA_FILE)
    try:
        digest = metadata["data"]["sha256"]
        known = {name: metadata["options"][name] for name in ("validation", "seed")}
        known |= {name: metadata["options"].get(name, 0) for name in ("test", "limit")}
    except (KeyError, TypeError) as exc:
        raise PresetError(f"{preset / METADATA_FILE} doesn't say what was held out: it lacks {exc}") from exc
    if metadata["data"].get("validation_from_file"):
        raise InputError(
            f"the model {preset.name} was validated on a file of its own: evaluate on that, without --validation"
        )
    if digest != data.digest():
        raise InputError(
            f"the model {preset.name} was trained on other data than this: "
            "leave --validation out to evaluate on all of it"
        )
    try:
        options = Options(**known)
    except (TypeError, OptionError) as exc:
        raise PresetError(f"{preset / METADATA_FILE} doesn't say what was held out: {exc}") from exc
    return cut(data, options).validation


def check_parts(parts: Parts, options: Options) -> None:
    """Check that there is enough to train on.

    Raises:
        InputError: A part lacks a label, or there is less than a batch.
    """
    for name, part, option in (
        ("training", parts.training, "validation"),
        ("validation", parts.validation, "validation"),
        ("test", parts.test, "test"),
    ):
        if part is not None and len(np.unique(part.labels)) < 2:
            raise InputError(
                f"the {name} part has {len(part)} texts but not of both labels: "
                f"give more data, or another --{option} share"
            )
    if len(parts.training) < (options.batch_size or 1):
        raise InputError(
            f"the training part has {len(parts.training)} texts, less than a batch of {options.batch_size}: "
            "give more data, or a smaller --batch-size"
        )


def stands_in(texts: pa.Array, others: pa.Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether each text stands in `others`, word for word: bool, shape (texts,)."""
    return pc.is_in(texts.cast(pa.large_string()), value_set=others).to_numpy(zero_copy_only=False)
