"""Sockets that a service listens on."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress
from ipaddress import ip_address

from anomaly_detection.errors import ParameterError

BACKLOG = 2048

WAYS_OUT = {
    errno.EADDRINUSE: "Something listens there already. Choose another with --port, or 0 for any that is free.",
    errno.EACCES: "Only root may listen there. Choose a port above 1023 with --port.",
    errno.EADDRNOTAVAIL: "This machine has no such address. Choose another with --host.",
}


def listen(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    """Sockets on every address of some hosts; on port 0, all get the same free one.

    Raises
    ------
    ParameterError
        for an address that is taken, unknown or not allowed; then none is kept.
    """
    found: list[socket.socket] = []
    try:
        for host in hosts:
            for family, address in _addresses(host):
                chosen = found[0].getsockname()[1] if found else port
                found.append(_bound(family, address, chosen))
    except BaseException:
        for one in found:
            one.close()
        raise
    return found


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    try:
        infos = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError) as error:
        raise ParameterError(f"There is no address {host!r} to listen on. Give one with --host.") from error
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in infos))


def _bound(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, port))
        made.listen(BACKLOG)
    except OSError as error:
        made.close()
        way_out = WAYS_OUT.get(error.errno or 0, "Choose another with --host and --port.")
        raise ParameterError(
            f"The service cannot listen on {address}, port {port}: {error.strerror}. {way_out}"
        ) from error
    return made


def url_of(listening: socket.socket) -> str:
    """The address to type into a browser."""
    host, port = listening.getsockname()[:2]
    if ip_address(host).is_unspecified:
        host = socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_this_machine(host: str) -> bool:
    """Whether only this machine can reach an address."""
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"
