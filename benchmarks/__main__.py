"""Everything that is measured, in one run, as one table.

python -m benchmarks [--data train.parquet] [--only prediction peers] [--model M] [--json out.json] [--plots docs]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path

from benchmarks.generate import WRITERS
from benchmarks.measure import Figure, machine
from benchmarks.texts import MODEL, load_texts

GROUPS = (
    "startup",
    "preprocessing",
    "prediction",
    "peers",
    "end-to-end",
    "commits",
    "growth",
    "memory",
    "behaviour",
    "domains",
    "language",
    "calibration",
    "explain",
)
GPU, TRAINING, ADAPTING, RAY, SPARK = "gpu", "training", "adapting", "ray", "spark"
"""Run when they are asked for: a GPU, the labelled data and minutes, minutes, Ray, and Java are what they need."""


def parser() -> argparse.ArgumentParser:
    """Return what understands the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, help="the labelled texts that the model was trained on; by default made ones"
    )
    parser.add_argument("--texts", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=(*GROUPS, GPU, TRAINING, ADAPTING, RAY, SPARK), default=GROUPS)
    parser.add_argument(
        "--model",
        default=MODEL,
        help="what behaviour, domains, language, calibration, explain and adapting measure: a preset's name or "
        "folder",
    )
    parser.add_argument("--megabytes", type=int, nargs="+", default=[1, 10, 100, 1000], help="of growing files")
    parser.add_argument("--memory-megabytes", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--formats", nargs="+", choices=WRITERS, default=["csv", "mbox"])
    parser.add_argument("--cluster-texts", type=int, default=200_000, help="what --only ray and spark score")
    parser.add_argument("--json", type=Path, help="file to write the figures into, with versions and hardware")
    parser.add_argument("--plots", type=Path, help="folder to draw growth.svg and accuracy.svg into")
    return parser


def main() -> None:
    """Print each figure as it is measured, and write them where asked to."""
    options = parser().parse_args()
    if TRAINING in options.only and not options.data:
        parser().error("--only training needs --data")
    found = machine()
    print(" · ".join(f"{name} {value}" for name, value in found.items()), flush=True)
    figures = []
    for figure in _figures(options):
        figures.append(figure)
        print(figure, flush=True)
    if options.json:
        measured = [asdict(figure) | {"reached": figure.is_reached} for figure in figures]
        options.json.write_text(json.dumps({"machine": found, "figures": measured}, indent=2) + "\n", "utf-8")
    if options.plots:
        from benchmarks.plots import write_plots

        write_plots(figures, options.plots)


def _figures(options: argparse.Namespace) -> Iterator[Figure]:
    from benchmarks import (
        adapting,
        behaviour,
        calibration,
        commits,
        domains,
        end_to_end,
        explain,
        gpu,
        growth,
        language,
        memory,
        peers,
        prediction,
        preprocessing,
        ray_data,
        spark,
        startup,
        training,
    )

    texts = cache(lambda: load_texts(options.data, options.texts))  # not every group needs them
    groups: dict[str, Callable[[], Iterator[Figure]]] = {
        "startup": lambda: startup.figures(options.rounds),
        "preprocessing": lambda: preprocessing.figures(texts(), options.rounds),
        "prediction": lambda: prediction.figures(texts(), options.rounds),
        "peers": lambda: peers.figures(texts(), options.rounds),
        "end-to-end": lambda: end_to_end.figures(options.rounds),
        "commits": lambda: commits.figures(options.rounds),
        "growth": lambda: growth.figures(options.megabytes, options.formats),
        GPU: lambda: gpu.figures(texts(), options.rounds),
        TRAINING: lambda: training.figures(options.data),
        ADAPTING: lambda: adapting.figures(options.model, options.data),
        RAY: lambda: ray_data.figures(options.cluster_texts, options.rounds),
        SPARK: lambda: spark.figures(options.rounds, options.cluster_texts),
        "memory": lambda: memory.figures(options.memory_megabytes, options.formats),
        "behaviour": lambda: behaviour.figures(options.model),
        "domains": lambda: domains.figures(options.model, options.data),
        "language": lambda: language.figures(options.model, options.data),
        "calibration": lambda: calibration.figures(options.model, options.data),
        "explain": lambda: explain.figures(options.model, options.data, options.rounds),
    }
    for name in options.only:
        yield from groups[name]()


if __name__ == "__main__":
    main()
