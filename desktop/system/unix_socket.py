"""Local sockets as Unix has them: files in the folder for temporary ones."""

from __future__ import annotations

import os
import socket
import tempfile

_WAIT_S = 0.5


def socket_address(name: str) -> str:
    """A file that only its owner may connect to, see `single_instance`."""
    return os.path.join(tempfile.gettempdir(), name)


def send_to_socket(address: str, message: bytes) -> bool:
    """Whether somebody listens, who then has the message."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(_WAIT_S)
        try:
            line.connect(address)
            line.sendall(message)  # kept for the listener, also if it is busy and we have ended
        except OSError:
            return False
    return True
