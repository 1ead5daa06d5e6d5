"""Score what is in a bucket, or in a folder, on the machines of a Ray cluster, into a folder of parts.

On a cluster:  ray job submit -- python ray_job.py 's3://box/mail/**/*.mbox' --output s3://box/scored
On a laptop:   python ray_job.py inbox.mbox --output scored

The command line does the same: textsent score … --output s3://box/scored/ --engine ray. What goes beyond it is what
is done with each part's counts here: a line for each, which `ray job logs` shows.
"""

import argparse

from textsent.distributed.ray import ray_engine
from textsent.errors import TextsentError
from textsent.files import Summary
from textsent.pieces import job_for, score_folder


def show(summary: Summary) -> None:
    """Print how far the run has come."""
    negative = summary.sentiments["negative"]
    print(
        f"{summary.rows:,} rows, {negative:,} of them negative, {summary.share or 0:.0%} of the inputs", flush=True
    )


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("inputs", nargs="+", help="paths, URLs and patterns of them that all machines can read")
parser.add_argument("--output", required=True, help="path or URL of the folder of parts")
parser.add_argument("--model", default="imdb-lstm", help="a preset that all machines have")
parser.add_argument("--address", help="the cluster's host:port; in a job Ray itself says it")
parser.add_argument("--piece-mb", type=int, default=128, help="MB that a worker scores at a time, into one part")
options = parser.parse_args()

try:
    done = score_folder(
        options.inputs,
        job_for(options.model, {}, options.output),
        engine=ray_engine(options.address),
        piece_bytes=options.piece_mb << 20,
        resume=True,  # a job that is submitted again goes on where the first one ended
        on_part=show,
    )
except TextsentError as exc:
    parser.exit(1, f"{exc}\n")
print(f"done: {done.rows:,} rows in {options.output}, {done.errors.total():,} of them without a score")
