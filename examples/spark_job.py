"""The tone of mail, or of the texts in Parquet files, on Spark.

    spark-submit examples/spark_job.py examples/inbox.mbox scored
    spark-submit --master yarn examples/spark_job.py 's3://bucket/mail/**/*.mbox' s3a://bucket/scored

Mail is read by textsent, from paths and URLs that it knows; Parquet is read, and all is written, by Spark. The
executors need the Python environment of the driver: textsent[spark], and PYSPARK_PYTHON as its interpreter.
"""

import argparse
import sys

from pyspark.sql import SparkSession
from pyspark.sql import functions as f

from textsent.distributed import MailDataSource, score_spark, spark_errors
from textsent.errors import TextsentError


def main() -> None:
    """Score, write, and print how many rows there are of each sentiment."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", help="mail, or Parquet files: a path, a URL, or a pattern of them")
    parser.add_argument("output", help="folder of Parquet files, which must not be there")
    parser.add_argument("--column", help="of the texts; by default text, or else the only column of strings")
    parser.add_argument("--model", default="imdb-lstm", help="a shipped model's name, or a preset's folder")
    options = parser.parse_args()
    spark = SparkSession.builder.appName("textsent").getOrCreate()
    try:
        with spark_errors():
            if options.input.rstrip("/").endswith(".parquet"):
                rows = spark.read.parquet(options.input)
            else:
                spark.dataSource.register(MailDataSource)
                rows = spark.read.format("textsent-mail").load(options.input)
            score_spark(rows, column=options.column, model=options.model).write.parquet(options.output)
    except TextsentError as exc:
        sys.exit(f"Error: {exc}")
    else:
        scored = spark.read.parquet(options.output)
        why = f.coalesce("sentiment", "error").alias("sentiment")
        scored.groupBy(why).agg(f.count("*").alias("rows")).orderBy(f.desc("rows"), "sentiment").show()
    finally:
        spark.stop()


if __name__ == "__main__":
    main()
