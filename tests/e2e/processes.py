"""Our own program as people start it: a process with its settings, its output and its end."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

PROGRAM = Path(sys.executable).with_name("switchgear")
PATIENCE_SECONDS = 60.0
_STEP_SECONDS = 0.05
_LISTENS = re.compile(r"http://127\.0\.0\.1:(\d+)")


def environment(**settings: str) -> dict[str, str]:
    """The environment of a process: ours without any setting of the product, and then these."""
    bare = {name: value for name, value in os.environ.items() if not name.upper().startswith("SWITCHGEAR_")}
    return {
        **bare,
        "PYTHONUNBUFFERED": "1",
        **{f"SWITCHGEAR_{name.upper()}": value for name, value in settings.items()},
    }


def finished(
    folder: Path, *arguments: str, given: str | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder until it ends."""
    return subprocess.run(  # noqa: S603 - our own program
        [PROGRAM, *arguments],
        cwd=folder,
        env=environment(**settings),
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Program:
    """The program while it runs; `folder` is where it was started and where its output is kept."""

    def __init__(self, folder: Path, *arguments: str, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.url = ""
        self._output, self._errors = folder / "stdout.txt", folder / "stderr.txt"
        with self._output.open("w") as output, self._errors.open("w") as errors:
            self.process = subprocess.Popen(  # noqa: S603 - our own program
                [PROGRAM, *arguments], cwd=folder, env=environment(**settings), stdout=output, stderr=errors
            )

    @property
    def output(self) -> str:
        """What it has said so far."""
        return self._output.read_text()

    @property
    def errors(self) -> str:
        """What it has logged so far."""
        return self._errors.read_text()

    def until(self, what: str, check: Any, seconds: float = PATIENCE_SECONDS) -> Any:
        """Wait until a check gives something, for as long as the process lives."""
        for _ in range(int(seconds / _STEP_SECONDS)):
            found = check()
            if found:
                return found
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STEP_SECONDS)
                raise AssertionError(f"it ended with {self.process.returncode} before {what}:\n{self.errors[-2_000:]}")
        raise AssertionError(f"it did not come to {what}:\n{self.errors[-2_000:]}")

    def ready(self) -> str:
        """Wait until it serves requests, and give its address."""

        def address() -> str | None:
            found = _LISTENS.search(self.output + self.errors)
            return found[0] if found else None

        self.url = self.until("an address", address)
        self.until("readiness", lambda: _answers(f"{self.url}/readyz"))
        return self.url

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5.0).status_code == 200
    except httpx.TransportError:
        return False


@contextlib.contextmanager
def running(folder: Path, *arguments: str, **settings: str) -> Iterator[Program]:
    """Run the program while the block lasts."""
    program = Program(folder, *arguments, **settings)
    try:
        yield program
    finally:
        if program.process.poll() is None:
            program.process.kill()
        program.process.wait()


def children_of(process_id: int) -> list[str]:
    """The processes that a process has started and that still run."""
    found = Path(f"/proc/{process_id}/task/{process_id}/children")
    return found.read_text().split() if found.exists() else []


class Client:
    """A client of one gateway with one token."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60.0)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The whole answer to a query."""
        body: dict[str, Any] = self._http.post("/graphql", json={"query": query, "variables": variables}).json()
        return body

    def data(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer; there must be no errors at all."""
        body = self.ask(query, **variables)
        assert "errors" not in body, body["errors"]
        found: dict[str, Any] = body["data"]
        return found

    def code(self, query: str, **variables: Any) -> str:
        """The code of the only error of an answer."""
        (error,) = self.ask(query, **variables)["errors"]
        return str(error["extensions"]["code"])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()


class SandboxControl:
    """The control side of a sandbox, and its own OData for whoever wants the truth."""

    def __init__(self, connection: Mapping[str, Any]) -> None:
        self.connection = connection
        given = connection["credentials"]
        auth = (given["username"], given["password"]) if "username" in given else None
        self._http = httpx.Client(base_url=connection["sandboxUrl"], auth=auth, timeout=30.0)

    def requests(self) -> list[dict[str, Any]]:
        """What was asked of it, oldest first."""
        found: list[dict[str, Any]] = self._http.get("/_sandbox/requests").json()
        return found

    def forget(self) -> None:
        """Forget what was asked."""
        self._http.delete("/_sandbox/requests").raise_for_status()

    def trouble(self, mode: str, **details: Any) -> None:
        """Give it a trouble; `none` ends it."""
        self._http.put("/_sandbox/faults", json={"mode": mode, **details}).raise_for_status()

    def admit(self, username: str, password: str) -> None:
        """Let someone log on, or give them another password."""
        given = {"username": username, "password": password}
        self._http.put("/_sandbox/credentials", json=given).raise_for_status()

    def count(self, entity_set: str, condition: str | None = None) -> int:
        """How many rows the system itself says that there are."""
        parameters = {"$filter": condition} if condition else {}
        answer = self._http.get(f"/sap/opu/odata/sap/{entity_set}/$count", params=parameters)
        answer.raise_for_status()
        return int(answer.text)

    def rows(self, entity_set: str, **options: str) -> list[dict[str, Any]]:
        """All rows of a collection as the system sends them, over all of its pages."""
        parameters: dict[str, str] | None = {"$format": "json", **{f"${name}": each for name, each in options.items()}}
        url: str | None = f"/sap/opu/odata/sap/{entity_set}"
        found: list[dict[str, Any]] = []
        while url is not None:
            answer = self._http.get(url, params=parameters)
            answer.raise_for_status()
            content = answer.json()["d"]
            found.extend(content["results"])
            url, parameters = content.get("__next"), None
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()
