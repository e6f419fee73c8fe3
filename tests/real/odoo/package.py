"""Fetches Odoo as Debian packages it and unpacks it into a folder; nothing is installed on the machine."""

import hashlib
import os
import platform
import shutil
import subprocess
from pathlib import Path

NAME = "odoo-19"
VERSION = "19.0.0+dfsg-1"
SHA256 = "9d2f598b0555db17e291d48ed24df184c70823c053c4c5ed53c467ca7f629bbf"
SUITE = "sid"  # the only suite of Debian that has it
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
LEFT_OUT = ["i18n", "./usr/lib/python3/dist-packages/addons", "./usr/share"]  # translations, half a copy, manuals
HOOKS = ("APT::Update::Pre-Invoke", "APT::Update::Post-Invoke", "APT::Update::Post-Invoke-Success")


def unpack(folder: Path) -> None:
    """Unpack the pinned package below `folder`, where its files then lie as they would below `/`.

    Raises `RuntimeError` if Debian has another version by now, or the file is not the one that was pinned.
    """
    folder.mkdir(parents=True)
    apt = folder / "apt"
    variables = _private_apt(apt)
    _run(["apt-get", "--quiet", "update"], apt, variables)
    _run(["apt-get", "--quiet", "download", f"{NAME}={VERSION}"], apt, variables)
    (archive,) = apt.glob("*.deb")
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise RuntimeError(f"{NAME} {VERSION} is not the file whose checksum is pinned in {Path(__file__).name}")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(archive)], stdout=subprocess.PIPE) as contents:  # noqa: S603, S607
        left_out = [f"--exclude={part}" for part in LEFT_OUT]
        subprocess.run(["tar", "--extract", *left_out], cwd=folder, stdin=contents.stdout, check=True)  # noqa: S603, S607
    shutil.rmtree(apt)


def _private_apt(apt: Path) -> dict[str, str]:
    """Set up lists and caches of our own, from the machine's mirror but of Debian's newest suite.

    The machine's settings (proxies, certificates) stay in force, except for what it does after an update.
    """
    for part in ("lists/partial", "archives/partial", "parts"):
        (apt / part).mkdir(parents=True)
    (apt / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {SUITE} main\n", encoding="utf-8")
    machine = Path("/etc/apt/apt.conf")
    (apt / "last.conf").write_text(
        "\n".join(
            [
                f'#include "{machine}";' if machine.exists() else "",
                *(f"#clear {hook};" for hook in HOOKS),
                f'Dir::Etc::SourceList "{apt}/sources.list";',
                f'Dir::Etc::SourceParts "{apt}/parts";',
                f'Dir::Etc::Preferences "{apt}/none";',
                f'Dir::Etc::PreferencesParts "{apt}/parts";',
                f'Dir::State::Lists "{apt}/lists";',
                f'Dir::Cache "{apt}";',
                'Acquire::Languages "none";',
                'APT::Sandbox::User "root";',  # the folder may be closed to apt's own user
                "",
            ]
        ),
        encoding="utf-8",
    )
    # apt reads this file first, then the machine's settings, and last the one named here.
    (apt / "first.conf").write_text(f'Dir::Etc::Main "{apt}/last.conf";\n', encoding="utf-8")
    return os.environ | {"APT_CONFIG": str(apt / "first.conf"), "LC_ALL": "C.UTF-8"}


def _mirror() -> str:
    """Return where this machine gets Debian from."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    form = "$(RELEASE) $(COMPONENT) $(REPO_URI)"
    told = _run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"], Path("/"), dict(os.environ))
    for line in told.splitlines():
        suite, component, address = line.split(maxsplit=2)
        if (suite, component) == (release, "main"):
            return address
    raise RuntimeError(f"apt knows no source of Debian {release or 'packages'} on this machine")


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own commands
        command, cwd=folder, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{done.stderr[-2000:]}")
    return done.stdout
