"""Installs Tryton and fills its database once; later sessions find both in a cache folder."""

import datetime
import fcntl
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.tryton.administrator import ADMINISTRATOR
from tests.real.tryton.process import DATABASE, environment, trytond
from tests.real.tryton.seed import seed

HERE = Path(__file__).parent
INGREDIENTS = (
    "requirements.txt",
    "installation.py",
    "process.py",
    "administrator.py",
    "accounting.py",
    "seed.py",
    "assets.py",
    "production.py",
    "products.py",
    "purchases.py",
    "stock.py",
    "plant.json",
)
MODULES = [
    "account_asset",
    "account_invoice_stock",
    "account_product",
    "production_work",
    "purchase",
    "stock_supply",
]
PASSING_TABLES = ("ir_session", "ir_session_wizard", "ir_queue", "res_user_warning", "res_user_login_attempt")
FIRST_CREATED = {
    "party_party": datetime.datetime(2024, 1, 2, 7, 0, 0, 1),
    "purchase_purchase": datetime.datetime(2024, 1, 3, 7, 30, 0, 250_000),
    "product_product": datetime.datetime(2024, 1, 2, 9, 0, 0, 1),
    "production": datetime.datetime(2024, 2, 1, 6, 0, 0, 500_000),
    "account_asset": datetime.datetime(2024, 2, 3, 10, 15, 0, 1),
}


@dataclass(frozen=True)
class Installation:
    """A folder with an installed Tryton and a seeded database, both ready and never changed again."""

    folder: Path

    @property
    def python(self) -> Path:
        """The interpreter that has trytond; it is only ever started, never imported from."""
        return self.folder / "python" / "bin" / "python"

    @property
    def database(self) -> Path:
        """The seeded SQLite file; copy it before serving it."""
        return self.folder / f"{DATABASE}.sqlite"


def installation() -> Installation:
    """Return the cached installation, built first if this recipe has not been followed here before.

    The cache is `~/.cache/switchgear`, or the folder named by SWITCHGEAR_TEST_CACHE. Of two processes that
    start at once, one builds and the other waits; what fails half-way leaves nothing behind.
    """
    cache = Path(os.environ.get("SWITCHGEAR_TEST_CACHE") or Path.home() / ".cache" / "switchgear")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"tryton-{_digest()}"
    with _locked(cache / f"{folder.name}.lock"):
        if not folder.exists():
            prefix = f"{folder.name}.building-"
            for left in cache.glob(f"{prefix}*"):  # by a build that was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=prefix, dir=cache) as building:
                unfinished = Path(building) / "tryton"
                _build(Installation(unfinished))
                unfinished.rename(folder)
    return Installation(folder)


def _digest() -> str:
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for name in INGREDIENTS:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(unfinished: Installation) -> None:
    work = unfinished.folder / "work"
    work.mkdir(parents=True)
    _install(unfinished)
    _activate_modules(unfinished.python, work)
    with trytond(unfinished.python, work, deferred=True) as url:
        seed(f"{url}/{DATABASE}")
    database = work / unfinished.database.name
    _settle(database)
    database.rename(unfinished.database)
    shutil.rmtree(work)


def _install(unfinished: Installation) -> None:
    _run([sys.executable, "-m", "venv", str(unfinished.folder / "python")])
    pip = [str(unfinished.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    only_what_is_pinned = ["--only-binary=:all:", "--no-compile", "--require-hashes"]
    _run([*pip, *only_what_is_pinned, "-r", str(HERE / "requirements.txt")])


def _activate_modules(python: Path, work: Path) -> None:
    login, password = ADMINISTRATOR
    configuration = work / "admin.conf"
    configuration.write_text(f"[database]\nuri = sqlite://\npath = {work}\n", encoding="utf-8")
    secret = work / "password"
    secret.write_text(password, encoding="utf-8")
    # trytond-admin fills an existing database only.
    (work / f"{DATABASE}.sqlite").touch()
    command = [str(python), "-m", "trytond.cli.admin", "--config", str(configuration), "--database", DATABASE]
    activation = [
        "--login",
        login,
        "--email",
        "admin@example.com",
        "--activate-dependencies",
        "--update",
        *MODULES,
    ]
    _run([*command, *activation], environment() | {"TRYTONPASSFILE": str(secret)})


def _run(command: list[str], variables: dict[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, env=variables, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")


def _settle(database: Path) -> None:
    """Remove what only the seeding needed, and give every record the same times of change in every build.

    Two neighbours share each moment, as records do that were saved together; what was never changed after
    its creation keeps no time of change.
    """
    with closing(sqlite3.connect(database)) as connection, connection:
        for table in PASSING_TABLES:
            connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names from this file
        for table, first in FIRST_CREATED.items():
            for (id_,) in connection.execute(f"SELECT id FROM {table}").fetchall():  # noqa: S608 - as above
                created = first + (id_ // 2) * datetime.timedelta(hours=1, microseconds=1)
                changed = created + datetime.timedelta(days=30, minutes=id_ // 2)
                connection.execute(
                    f"UPDATE {table} SET create_date = :created, write_date = "  # noqa: S608 - as above
                    "CASE WHEN write_date IS NULL THEN NULL ELSE :changed END WHERE id = :id",
                    {"created": created.isoformat(" "), "changed": changed.isoformat(" "), "id": id_},
                )
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
