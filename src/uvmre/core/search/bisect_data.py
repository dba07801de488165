"""The result of a search over releases as JSON data."""

from typing import Any

from uvmre.core.search.bisect_half import Edge
from uvmre.core.search.bisect_result import RELEASE_NOTES, History
from uvmre.core.search.boundary import compare, groups, met


def to_data(history: History) -> dict[str, Any]:
    """Return the result as JSON data."""
    boundaries = history.boundaries
    sound = not history.unsound
    return {
        "reported": history.releases[history.reported].version,
        "lowest": history.releases[history.lowest].version,
        "highest": history.releases[history.highest].version,
        "first_bad": _edge(history, boundaries.first_bad, first_good=False) if sound else None,
        "first_good": _edge(history, boundaries.first_good, first_good=True) if sound else None,
        "returns": [history.releases[index].version for index in boundaries.returns],
        "flaky": history.flaky,
        "groups": groups(history),
        "probes": [
            {
                "release": history.releases[index].version,
                "outcome": probe.word,
                "reason": probe.reason,
                "bad": probe.bad,
                "runs": probe.total,
                "seconds": round(probe.seconds, 3),
                "kept": probe.kept,
                "met": met(history, probe),
            }
            for index, probe in sorted(history.probes.items())
        ],
        "path": [
            {"release": history.releases[step.index].version, "answer": step.answer, "half": step.half}
            for step in history.path
        ],
        "sentences": history.sentences(),
        "exit": history.exit_code,
    }


def _edge(history: History, edge: Edge | None, *, first_good: bool) -> dict[str, Any] | None:
    if edge is None:
        return None
    index = edge.good if first_good else edge.bad
    other = edge.bad if first_good else edge.good
    release = None if index is None else history.releases[index]
    compared = compare(history, edge, first_good=first_good)
    linked = (
        release is not None and release.published and (first_good or edge.word in ("exact", "between", "introduced"))
    )
    return {
        "ending": edge.word,
        "kind": compared.kind if compared else None,
        "compared": [compared.older, compared.newer] if compared else None,
        "unavailable": compared.unavailable if compared else None,
        "difference": list(compared.difference) if compared else [],
        "version": release.version if release else None,
        "date": f"{release.date:%Y-%m-%d}" if release and release.date else None,
        "notes": f"{RELEASE_NOTES}{release.version}" if linked and release else None,
        "beside": None if other is None else history.releases[other].version,
        "skipped": [history.releases[i].version for i in edge.skipped],
        "untested": edge.untested,
        "confidence": round(edge.confidence, 6),
    }
