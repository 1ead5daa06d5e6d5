"""The tone of product reviews by month, in pandas.

Run it where the repository lies:  python examples/pandas_workflow.py
"""

from pathlib import Path

import pandas as pd

import textsent

reviews = pd.read_csv(Path(__file__).with_name("reviews.csv"), parse_dates=["date"])
scored = textsent.score_frame(reviews, column="text")

print(scored[["product", "stars", "sentiment", "score"]].head().to_string(index=False))

agreement = (scored["sentiment"].str[:3] == scored["label"]).mean()
print(f"\nThe model agrees with {agreement:.0%} of the reviewers.")

by_month = scored.groupby(scored["date"].dt.to_period("M"))["score"].agg(["size", "mean"])
print(f"\n{by_month.round(2).to_string()}")

# The accessor gives the scores alone, for a column of one's own.
reviews["tone"] = reviews["text"].textsent.score()
worst = reviews.nsmallest(3, "tone")
print("\nThe three most negative:")
for row in worst.itertuples():
    print(f"  {row.tone:.3f}  {row.product}")
