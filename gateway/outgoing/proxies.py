"""What proxies say, and how one is asked to pass a line on."""

import asyncio

from connectors.errors import Sent, Trouble, Unavailable
from gateway.outgoing.lines import Proxy

_MOST_LINES = 100
_PASSED_ON = 200
_LOGIN_WANTED = (
    "The proxy asks for a login, or refuses the one that it was given.",
    "Give user and password in `settings.proxyUrl`, as in http://user:password@proxy.example.com:3128. "
    "Kerberos and NTLM are not supported.",
)
_FORBIDDEN = (
    "The proxy refuses to pass calls on to the system.",
    "Have the system's host and port allowed in the proxy.",
)
_NOT_PASSED_ON = (
    "The proxy does not reach the system.",
    "Check the system's address, and whether the system can be reached from the proxy.",
)
_SAYINGS = {407: _LOGIN_WANTED, 403: _FORBIDDEN}
_CHECK_PROXY = "Check `settings.proxyUrl`, and whether the proxy can be reached from the gateway."


def proxy_trouble(status: int) -> Trouble:
    """What it means that a proxy answers this instead of passing a call on."""
    message, remedy = _SAYINGS.get(status, _NOT_PASSED_ON)
    return _unavailable(f"{message.rstrip('.')} (status {status}).", "TCP", remedy)


def mute_proxy() -> Trouble:
    """What it means that nothing answers where the proxy should be."""
    return _unavailable("The proxy does not answer.", "TCP", _CHECK_PROXY)


def nameless_proxy() -> Trouble:
    """What it means that nobody knows the proxy's name."""
    return _unavailable("The proxy's host name is not known.", "DNS", _CHECK_PROXY)


async def pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: Proxy, host: str, port: int
) -> Trouble | None:
    """Have the proxy at the other end of a line pass it on to a host; why not, if it does not."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    lines += [f"{name}: {value}" for name, value in proxy.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    try:
        status = int((await reader.readline()).split(maxsplit=2)[1])
        for _ in range(_MOST_LINES):
            if not (await reader.readline()).strip():
                break
    except (OSError, ValueError, IndexError):
        return _unavailable("What answers is no proxy.", "TCP", _CHECK_PROXY)
    return None if status == _PASSED_ON else proxy_trouble(status)


def _unavailable(message: str, stage: str, remedy: str) -> Trouble:
    return Unavailable(message, sent=Sent.NOT_SENT, stage=stage, remedy=remedy)
