"""The web console: the page that browsers get at /graphql, built from the sources in this folder."""

import html
import json
from collections.abc import Mapping
from pathlib import Path

DIST = Path(__file__).parent / "dist"
"""The built console: `index.html`, and below it the assets that are served under /console/."""

BUILD_HINT = "The web console is not built: run `python hatch_build.py` in a checkout of Switchgear."
"""What to tell a person when `page` gives None."""

_CONFIGURATION = '<script type="application/json" id="switchgear-configuration">{}</script>'


def page(configuration: Mapping[str, object]) -> str | None:
    """Give the console's page with its configuration inside, or None when the console is not built.

    The keys are `endpoint`, `token`, `examples` (each with `query`, and maybe `title` and `variables`) and
    `notice`; every one may be missing. The page is read from disk at each call.
    """
    try:
        built = (DIST / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    # Inside a script element only "<" can do harm: it could close the element or open a comment.
    text = json.dumps(configuration).replace("<", r"\u003c")
    return built.replace(_CONFIGURATION, _CONFIGURATION.replace("{}", text))


def unbuilt_page() -> str:
    """What a browser gets instead of the console: how to build it, and that the API works all the same."""
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Switchgear</title>"
        "<h1>Switchgear</h1><p>The GraphQL endpoint is here and works; send queries with POST.</p>"
        f"<p>{html.escape(BUILD_HINT)}</p></html>"
    )
