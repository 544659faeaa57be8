"""Many lines of ``lab run --json`` counted together: who was right how often, how surely and how soon. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

from analysis.statistics import rate_interval

LEVEL = 0.95
NOBODY = "nobody"
NO_VERDICT = "no verdict"
Line = Mapping[str, Any]


def summary(lines: Sequence[Line]) -> dict[str, Any]:
    """Count everything. Skipped lines are counted as such and nowhere else; a refusal is a miss everywhere."""
    ran = [line for line in lines if not line["skipped"]]
    guilty = [line for line in ran if line["truth"]]
    return {
        "scenarios": len(lines),
        "skipped": len(lines) - len(ran),
        "one_to_blame": _right(line for line in guilty if len(line["truth"]) == 1),
        "several_to_blame": _right(line for line in guilty if len(line["truth"]) > 1),
        "nobody_to_blame": _right(line for line in ran if not line["truth"]),
        "by_scenario": {name: _right(line for line in ran if line["scenario"] == name) for name in _names(ran)},
        "answers": _answers(ran),
        "shares": _shares(guilty),
        "intervals_to_right_verdict": _soon(line for line in guilty if line["right"]),
        "runs_in_right_verdict": _enough(line for line in guilty if line["right"]),
        "quiet_windows": _windows(line for line in ran if line["windows"]),
        "innocent_blamed": _innocent_blamed(ran),
        "side_by_side": _side_by_side(ran),
    }


def answer(line: Line) -> str:
    """Name who was blamed: the layer named first where one is to blame, all of them where several are."""
    said = list(dict.fromkeys([*line["named"], *line["strangers"]]))
    if said:
        return " + ".join(sorted(said))
    return NO_VERDICT if line["verdict"] is None else f"{line['verdict']['status']}, nobody blamed"


def truth(line: Line) -> str:
    """Name who is to blame."""
    return " + ".join(sorted(set(line["truth"]))) or NOBODY


def _names(lines: Iterable[Line]) -> list[str]:
    return list(dict.fromkeys(line["scenario"] for line in lines))


def _right(lines: Iterable[Line]) -> dict[str, Any]:
    some = list(lines)
    return _rate([line["right"] for line in some]) | {"refused": sum(line["refused"] for line in some)}


def _innocent_blamed(lines: Sequence[Line]) -> dict[str, Any]:
    return _rate([bool(line["strangers"]) for line in lines if line["innocents"]])


def _side_by_side(lines: Sequence[Line]) -> dict[str, dict[str, Any]]:
    """Count whichlayer and the alert rules beside it alike, over the lines that both have judged."""
    both = [line for line in lines if line.get("rules")]
    theirs = [{**line, **line["rules"], "seconds_to_verdict": line["rules"]["seconds"]} for line in both]
    return {"whichlayer": _compared(both), "rules": _compared(theirs)} if both else {}


def _compared(lines: Sequence[Line]) -> dict[str, Any]:
    guilty = [line for line in lines if line["truth"]]
    return {
        "one_to_blame": _right(line for line in guilty if len(line["truth"]) == 1),
        "several_to_blame": _right(line for line in guilty if len(line["truth"]) > 1),
        "nobody_to_blame": _right(line for line in lines if not line["truth"]),
        "innocent_blamed": _innocent_blamed(lines),
        "refused": sum(line["refused"] for line in guilty),
        "intervals_to_right_verdict": _soon(line for line in guilty if line["right"]),
    }


def _rate(hits: Sequence[bool]) -> dict[str, Any]:
    """Give a count with its exact interval (Clopper and Pearson); without any, no rate."""
    found: dict[str, Any] = {"count": sum(hits), "of": len(hits)}
    if hits:
        interval = rate_interval(sum(hits), len(hits), LEVEL)
        found |= {"rate": interval.estimate, "low": interval.low, "high": interval.high}
    return found


def _answers(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    counted = Counter((truth(line), answer(line)) for line in lines)
    rows = sorted({row for row, _ in counted})
    return {row: {said: n for (made, said), n in sorted(counted.items()) if made == row} for row in rows}


def _shares(lines: Sequence[Line]) -> dict[str, Any]:
    """Say how often the stated interval of a share held the true one: where it was judged, and in all verdicts."""
    every = [(line, share) for line in lines for share in line["shares"]]
    chosen = {
        "judged": [share for line, share in every if share["when"] == "first" and _is_of(share, line["verdict"])],
        "first": [share for _, share in every if share["when"] == "first"],
        "held": [share for _, share in every if share["when"] == "held"],
    }
    return {name: _coverage(shares) for name, shares in chosen.items()}


def _is_of(share: Line, verdict: Line) -> bool:
    return all(share[name] == verdict[name] for name in ("journey", "step", "population"))


def _coverage(shares: Sequence[Line]) -> dict[str, Any]:
    known = [share for share in shares if share["covers"] is not None]
    widths = [share["high"] - share["low"] for share in known]
    found = _rate([share["covers"] for share in known]) | {"not_known": len(shares) - len(known)}
    return found | {"median_width": round(median(widths), 3) if widths else None}


def _soon(lines: Iterable[Line]) -> dict[str, Any]:
    waited = sorted(line["seconds_to_verdict"] / line["every_seconds"] for line in lines)
    if not waited:
        return {"count": 0}
    return {"count": len(waited), "median": round(median(waited), 1), "longest": round(waited[-1], 1)}


def _enough(lines: Iterable[Line]) -> dict[str, Any]:
    """Say how many runs the right verdicts stood on: a busy machine makes verdicts late, not poorer."""
    runs = sorted(line["verdict"]["runs"] for line in lines)
    return {"count": len(runs), "median": median(runs), "most": runs[-1]} if runs else {"count": 0}


def _windows(lines: Iterable[Line]) -> dict[str, Any]:
    counted: Counter[str] = Counter()
    for line in lines:
        counted.update(line["windows"])
    total = counted.total()
    return dict(counted) | {"of": total, "normal_rate": round(counted["normal"] / total, 4) if total else None}
