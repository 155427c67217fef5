"""Addresses as people type them and programs print them: read one way, and local or not."""

from __future__ import annotations

import socket

import pytest

from engine.contract.errors import InklingError
from indexer.asking.addresses import here, is_loopback, read_address


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        ("127.0.0.1:11434", "http://127.0.0.1:11434/v1"),
        (" LOCALHOST:8080/ ", "http://localhost:8080/v1"),
        ("http://localhost:8080/v1/chat/completions", "http://localhost:8080/v1"),
        ("http://localhost:8080/v1/models", "http://localhost:8080/v1"),
        ("https://models.example.org", "https://models.example.org:443/v1"),
        ("https://Models.Example.org./openai/v1/", "https://models.example.org:443/openai/v1"),
        ("http://0.0.0.0:8000/v1", "http://127.0.0.1:8000/v1"),
        ("http://[::]:8000", "http://[::1]:8000/v1"),
        ("http://[::1]:1234/v1", "http://[::1]:1234/v1"),
        ("http://[0:0:0:0:0:0:0:1]:1234", "http://[::1]:1234/v1"),
    ],
)
def test_what_is_an_address(typed: str, url: str) -> None:
    assert read_address(typed).url == url


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ollama serve",
        "http://",
        "http://127.0.0.1@evil.example/v1",
        "http://127.0.0.1:80@evil.example/v1",
        "http://user:secret@localhost/v1",
        "http://127.0.0.1\\@evil.example/",
        "http://127.0.0.1#@evil.example/",
        "http://127.0.0.1?@evil.example/",
        "http://127.0.0.1 .evil.example/",
        "http://local\u200bhost/",
        "http://ⓛocalhost/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:70000/",
        "http://127.0.0.1:8o/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "http://[::1/",
        "http://-x/",
        "http://a..\n/",
    ],
)
def test_what_is_none(typed: str) -> None:
    with pytest.raises(InklingError, match="no address") as caught:
        read_address(typed)
    assert "http://127.0.0.1:11434/v1" in caught.value.hint


@pytest.mark.parametrize("number", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_numbers_of_this_machine(number: str) -> None:
    assert is_loopback(number)


@pytest.mark.parametrize(
    "number",
    ["192.168.1.7", "10.0.0.1", "0.0.0.0", "::", "fe80::1%eth0", "::ffff:8.8.8.8", "x", ""],
)
def test_numbers_of_others(number: str) -> None:
    assert not is_loopback(number)


def test_a_name_is_local_only_if_all_it_stands_for_is() -> None:
    address = read_address("http://localhost:1")
    assert here(address, lambda host, port: ["127.0.0.1", "::1"]) == ("127.0.0.1", "::1")
    assert here(address, lambda host, port: ["127.0.0.1", "192.0.2.1"]) == ()
    assert here(address, lambda host, port: ["192.0.2.1"]) == ()
    assert here(address, lambda host, port: []) == ()


def test_a_name_that_stands_for_nothing_is_not_local() -> None:
    def fails(host: str, port: int) -> list[str]:
        raise socket.gaierror

    assert here(read_address("http://nowhere.invalid"), fails) == ()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "localhost"])
def test_this_machine_by_the_system(host: str) -> None:
    assert here(read_address(f"http://{host}:1"))
    assert not here(read_address("http://192.0.2.7:1"))
