"""What is secret about a connection, as one text that is sealed: the answers to its form, and parts of its settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Sealed:
    """The secrets of a connection; `proxy_login` is a user and a password, joined by a colon."""

    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    client_key: str | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    proxy_login: str | None = field(default=None, repr=False)

    @classmethod
    def read(cls, text: bytes) -> "Sealed":
        """Read what was written; earlier versions wrote the answers alone."""
        found = json.loads(text)
        if not isinstance(found.get("answers"), dict):
            return cls(answers=found)
        return cls(found["answers"], found.get("clientKey"), found.get("headers") or {}, found.get("proxyLogin"))

    def written(self) -> bytes:
        """Write it down, to be sealed."""
        document = {
            "answers": dict(self.answers),
            "clientKey": self.client_key,
            "headers": dict(self.headers),
            "proxyLogin": self.proxy_login,
        }
        return json.dumps({name: value for name, value in document.items() if value or name == "answers"}).encode()
