"""How a training is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from textsent.errors import OptionError
from textsent.recipes import Recipe, recipe

DEFAULT_RECIPE = "lstm"
CLASS_WEIGHTS = ("none", "balanced")
PRECISIONS = {"float32": "float32", "float16": "mixed_float16", "bfloat16": "mixed_bfloat16"}
"""What a network may be trained in, and Keras's name of it; weights are kept in float32."""


@dataclass(frozen=True)
class Options:
    """How to train. What is None is as the recipe says.

    Attributes:
        recipe: Name of the recipe, or its import path.
        epochs: Passes over the training part, at most.
        batch_size: Windows in a batch.
        validation: Share of the groups held out to choose the best epoch by, above 0 and below 1.
        patience: Epochs without a gain after which training stops.
        seed: Of the cut, the initial weights, the order and the dropout.
        test: Share of the groups that is neither trained on nor chosen by, 0 or more.
        limit: Texts to use; 0 for all.
        class_weight: `none`, or `balanced`: both labels count the same, however many texts have them.
        precision: One of PRECISIONS; all but `float32` need a GPU.
        short_texts: Learn from single sentences too, which lexicons and the teacher judge.
    """

    recipe: str = DEFAULT_RECIPE
    epochs: int | None = None
    batch_size: int | None = None
    validation: float | None = None
    patience: int | None = None
    seed: int = 1
    test: float = 0.0
    limit: int | None = None
    class_weight: str = "none"
    precision: str = "float32"
    short_texts: bool = False

    def __post_init__(self) -> None:
        for name, value in (
            ("number of epochs", self.epochs),
            ("batch size", self.batch_size),
            ("patience", self.patience),
        ):
            if value is not None and value < 1:
                raise OptionError(f"the {name} must be 1 or more. Received: {value}")
        if not 0 <= self.seed < 2**32:
            raise OptionError(f"the seed must lie between 0 and {2**32 - 1}. Received: {self.seed}")
        recipe(self.recipe)
        if self.validation is not None and not 0 < self.validation < 1:
            raise OptionError(f"the validation share must lie between 0 and 1. Received: {self.validation}")
        if not 0 <= self.test < 1 or self.test + (self.validation or 0) >= 1:
            raise OptionError(
                "the test share must be 0 or more, and with the validation share less than 1. "
                f"Received: {self.test}"
            )
        if self.limit is not None and self.limit < 0:
            raise OptionError(f"the limit must be a number of texts, or 0 for all of them. Received: {self.limit}")
        for name, given, choices in (
            ("class weight", self.class_weight, CLASS_WEIGHTS),
            ("precision", self.precision, PRECISIONS),
        ):
            if given not in choices:
                raise OptionError(f"the {name} must be one of {', '.join(choices)}. Received: {given!r}")

    def completed(self, chosen: Recipe | None = None) -> Self:
        """Return these options with the recipe's own, or another's, in place of None."""
        chosen = chosen or recipe(self.recipe)
        if self.patience is not None and chosen.keep == "last":
            raise OptionError(f"the recipe {self.recipe} trains all of its epochs: leave --patience out")
        names = ("epochs", "batch_size", "validation", "patience", "limit")
        return replace(self, **{name: getattr(chosen, name) for name in names if getattr(self, name) is None})
