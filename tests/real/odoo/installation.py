"""Installs Odoo and fills its database once; later sessions find both in a cache folder."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.odoo import database, keys, package
from tests.real.odoo.process import DATABASE, Programs, install, odoo, run_inside
from tests.real.odoo.seed import PLANT, seed
from tests.real.odoo.wire import Client

HERE = Path(__file__).parent
NOT_INGREDIENTS = {
    "__init__.py",
    "capture.py",
    "fixtures.py",
    "recorder.py",
    "requirements.in",
    "server.py",
    "test_recipe.py",
}
MODULES = ["maintenance", "mrp", "purchase_mrp", "purchase_stock", "repair", "rpc", "stock", "stock_maintenance"]
SETTLED = (
    "UPDATE stock_quant SET in_date = '2024-01-02 06:00:00', inventory_date = '2024-12-31'",
    "UPDATE stock_location SET last_inventory_date = '2024-01-02' WHERE last_inventory_date IS NOT NULL",
    "UPDATE stock_warehouse_orderpoint SET deadline_date = '2024-06-30' WHERE deadline_date IS NOT NULL",
    "UPDATE stock_move SET date = '2024-03-15 09:30:00' WHERE state = 'done'",
    "UPDATE stock_move_line SET date = '2024-03-15 09:30:00' WHERE state = 'done'",
    "UPDATE mrp_production SET date_finished = date_start + interval '1 hour'",
    "VACUUM FULL ANALYZE",
)
DATED_TABLES = (
    "account_incoterms",
    "account_payment_term",
    "maintenance_equipment",
    "maintenance_equipment_category",
    "maintenance_request",
    "maintenance_stage",
    "maintenance_team",
    "mrp_production",
    "product_product",
    "product_supplierinfo",
    "product_template",
    "purchase_order",
    "purchase_order_line",
    "res_company",
    "res_currency",
    "res_partner",
    "res_partner_category",
    "stock_location",
    "stock_quant",
    "stock_warehouse",
    "stock_warehouse_orderpoint",
    "uom_uom",
)


@dataclass(frozen=True)
class Installation:
    """A folder with the programs and the seeded plant, both ready and never changed again."""

    folder: Path

    @property
    def programs(self) -> Programs:
        """Odoo, its Python and PostgreSQL."""
        return Programs(self.folder)

    @property
    def plant(self) -> Path:
        """The folder with the database's cluster and Odoo's files; copy it before serving it."""
        return self.folder / "plant"

    @property
    def keys(self) -> dict[str, str]:
        """The API keys by login."""
        read: dict[str, str] = json.loads((self.folder / "keys.json").read_text(encoding="utf-8"))
        return read


def installation() -> Installation:
    """Return the cached installation, built first if this recipe has not been followed here before.

    The cache is `~/.cache/switchgear`, or the folder named by SWITCHGEAR_TEST_CACHE. Of two processes that
    start at once, one builds and the other waits; what fails half-way leaves nothing behind.
    """
    cache = Path(os.environ.get("SWITCHGEAR_TEST_CACHE") or Path.home() / ".cache" / "switchgear")
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"odoo-{_digest()}"
    with _locked(cache / f"{folder.name}.lock"):
        if not folder.exists():
            prefix = f"{folder.name}.building-"
            for left in cache.glob(f"{prefix}*"):  # by a build that was killed
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=prefix, dir=cache) as building:
                unfinished = Path(building) / "odoo"
                _build(Installation(unfinished))
                unfinished.rename(folder)
    return Installation(folder)


def _digest() -> str:
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in sorted(HERE.iterdir()):
        if path.is_file() and path.name not in NOT_INGREDIENTS:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(unfinished: Installation) -> None:
    programs = unfinished.programs
    unfinished.plant.mkdir(parents=True, mode=0o700)
    package.unpack(unfinished.folder / "odoo")
    _install_requirements(unfinished)
    cluster = unfinished.plant / "cluster"
    database.create(programs.postgresql, cluster)
    with database.serving(programs.postgresql, cluster) as served:
        install(programs, unfinished.plant, served, MODULES)
        made = keys.printed_keys(run_inside(programs, unfinished.plant, served, keys.script(PLANT["users"])))
        with odoo(programs, unfinished.plant, served) as url:
            seed(Client(url, DATABASE), made)
        _settle(served)
    for log in unfinished.plant.glob("*.log"):
        log.unlink()
    secret = unfinished.folder / "keys.json"
    secret.touch(mode=0o600)
    secret.write_text(json.dumps(made), encoding="utf-8")


def _install_requirements(unfinished: Installation) -> None:
    _run([sys.executable, "-m", "venv", str(unfinished.folder / "python")])
    pip = [str(unfinished.programs.python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    only_what_is_pinned = ["--only-binary=:all:", "--no-compile", "--require-hashes"]
    _run([*pip, *only_what_is_pinned, "-r", str(HERE / "requirements.txt")])


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stderr.decode(errors='replace')[-2000:]}")


def _settle(served: database.Database) -> None:
    """Give every record the same times in every build, of creation and change above all.

    Two neighbours share each moment, as records do that were saved together; every fifth record was never
    changed after its creation.
    """
    for table in DATED_TABLES:
        served.execute(
            f"UPDATE {table} SET create_date = moment, "  # noqa: S608 - names from this file
            "write_date = CASE WHEN id % 5 = 0 THEN moment ELSE moment + interval '30 days' END "
            "FROM (SELECT id AS number, timestamp '2024-01-03 07:30:00.25' + (id / 2) * interval '1 hour 1 microsecond'"
            f" AS moment FROM {table}) AS moments WHERE id = number",
            DATABASE,
        )
    for statement in SETTLED:
        served.execute(statement, DATABASE)
