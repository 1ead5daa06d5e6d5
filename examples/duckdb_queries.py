"""Questions to a scored mailbox, in SQL.

Needs DuckDB: pip install duckdb. Run it where the repository lies:  python examples/duckdb_queries.py
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

import textsent

QUERIES = {
    "The tone of each week": """
        SELECT date_trunc('week', date)::DATE AS week,
               count(*) AS mails,
               count(score) AS scored,
               round(avg(score), 2) AS mean_score,
               count(*) FILTER (sentiment = 'negative') AS negative
        FROM mail
        WHERE date >= '2026-01-01'  -- a clock that was reset writes 1970
        GROUP BY week
        ORDER BY week
    """,
    "Who to answer first: the most negative, with what they wrote": """
        SELECT round(score, 2) AS score,
               regexp_extract("from", '([^<]*)', 1) AS sender,
               regexp_replace(text, '\\s+', ' ', 'g')[:50] AS begins
        FROM mail
        WHERE sentiment = 'negative'
        ORDER BY mail.score
        LIMIT 5
    """,
    "What could not be scored, and why": """
        SELECT error, count(*) AS mails
        FROM mail
        WHERE error IS NOT NULL
        GROUP BY error
        ORDER BY mails DESC, error
    """,
}

with TemporaryDirectory() as folder:
    scored = Path(folder, "scored.parquet")
    # The same on the command line:  textsent score examples/inbox.mbox -o scored.parquet
    textsent.score_file(Path(__file__).with_name("inbox.mbox"), scored, textsent.load())
    with duckdb.connect() as database:
        database.sql("SET TimeZone = 'UTC'")
        # A view reads no more of the file than a query asks for, and '*.parquet' would read many files.
        database.read_parquet(str(scored)).create_view("mail")
        for title, query in QUERIES.items():
            print(f"{title}\n{database.sql(query)}")
