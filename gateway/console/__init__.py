"""The web console: the page that browsers get at /graphql, built from the sources in this folder."""

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
        html = (DIST / "index.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    # Inside a script element only "<" can do harm: it could close the element or open a comment.
    text = json.dumps(configuration).replace("<", r"\u003c")
    return html.replace(_CONFIGURATION, _CONFIGURATION.replace("{}", text))
