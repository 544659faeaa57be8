"""One run: every station it passed, with its data."""

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse

from dashboards.facts import walk
from dashboards.facts.around import parts
from dashboards.web.drawing import phase_words
from dashboards.web.view import View


def add(router: APIRouter, view: View) -> None:
    """Add ``/runs/<run id>``."""

    @router.get("/runs/{run_id}", response_class=HTMLResponse, include_in_schema=False)
    def run(request: Request, run_id: str) -> HTMLResponse:
        story = walk.find(view.store, view.registry, run_id, view.now())
        if story is None:
            raise HTTPException(404, "There is no such run in the last 13 months.")
        longest = max((seconds for step in story.steps if isinstance(seconds := step["seconds"], float)), default=0.0)
        bars = [_bar(parts(step), longest) for step in story.steps]
        return view.page(
            request, "run.html", story=story, account=walk.account, steps=list(zip(story.steps, bars, strict=True))
        )


def _bar(cut: dict[str, float], longest: float) -> list[tuple[str, str, float, float, float]]:
    """Lay the parts of a step out in per cent of the longest step: name, words, seconds, left, width."""
    laid, left = [], 0.0
    for name, seconds in cut.items():
        width = seconds / longest * 100 if longest else 0.0
        laid.append((name, phase_words(name), seconds, round(left, 3), round(width, 3)))
        left += width
    return laid
