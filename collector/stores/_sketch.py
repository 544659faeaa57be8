"""A histogram in buckets of equal ratio: merging is adding counts, and a quantile is within 1 % of a value.

Bucket k holds the values above ``RATIO ** (k - 1)`` and up to ``RATIO ** k`` (DDSketch, Masson et al. 2019), and stands
for the value in their middle, which is within ``ERROR`` of each of them. Merging any split of the values gives
exactly the histogram of the whole, so a year's median comes from days without being an average of medians. The
quantile is that of rank ``floor(q * (n - 1))``: one of the values, never between two. Negative values mirror positive
ones; what is nearer to zero than ``SMALLEST`` counts as zero. All as SQL, over columns.
"""

import math

ERROR = 0.01
SMALLEST = 1e-12
RATIO = (1 + ERROR) / (1 - ERROR)
_SHIFT = (
    math.ceil(-math.log(SMALLEST) / math.log(RATIO)) + 1
)  # so that numbers of buckets are positive for positive values


def bucket(value: str) -> str:
    """Write the number of the bucket of a value; NULL of NULL."""
    size = f"CAST(ceil(ln(abs({value})) / {math.log(RATIO)!r}) AS INTEGER) + {_SHIFT}"
    return f"CASE WHEN abs({value}) < {SMALLEST!r} THEN 0 ELSE CAST(sign({value}) AS INTEGER) * ({size}) END"


def middle(number: str) -> str:
    """Write the value that bucket ``number`` stands for."""
    size = f"{2 / (RATIO + 1)!r} * exp((abs({number}) - {_SHIFT}) * {math.log(RATIO)!r})"
    return f"CASE WHEN {number} = 0 THEN 0.0 ELSE sign({number}) * {size} END"


def quantile(share: float) -> str:
    """Write the aggregate over merged buckets: ``bucket``, with ``upto`` values in it and below, of ``whole``."""
    return middle(f"min(bucket) FILTER (upto > {share!r} * (whole - 1))")
