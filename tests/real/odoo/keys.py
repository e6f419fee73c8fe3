"""Creates the users and their API keys, which Odoo lets nobody do from afar."""

import json
from typing import Any

PREFIX = "KEYS "
SCRIPT = """\
import datetime, json

def key(login, name="tests", expiration=None):
    user = env["res.users"].search([("login", "=", login)])
    return env["res.users.apikeys"].with_user(user).sudo()._generate(None, name, expiration)

for user in {users!r}:
    env["res.users"].with_context(no_reset_password=True).create(user)
logins = ["admin", *(user["login"] for user in {users!r})]
keys = {{login: key(login) for login in logins}}
keys["expired"] = key("switchgear", "expired", datetime.datetime(2024, 1, 1))
env.cr.commit()
print({prefix!r} + json.dumps(keys))
"""


def script(users: list[dict[str, Any]]) -> str:
    """Return what Odoo's shell has to run to create `users` and to print all keys."""
    records = [{"login": user["login"], "name": user["name"]} for user in users]
    return SCRIPT.format(users=records, prefix=PREFIX)


def printed_keys(output: str) -> dict[str, str]:
    """Return the keys that the script printed, by login; `expired` is a key of `switchgear` that was valid once."""
    (line,) = [line for line in output.splitlines() if line.startswith(PREFIX)]
    keys: dict[str, str] = json.loads(line.removeprefix(PREFIX))
    return keys
