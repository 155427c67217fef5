"""Accounts: a file of hashed tokens, and a provider's tokens, with a sentence for what is wrong."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from engine.contract.errors import InklingError
from indexer.team.accounts import AccountsFile, NoAccountError, Tokens, made_token
from indexer.team.oidc import OidcAccounts, Provider

ISSUER, AUDIENCE = "https://login.example.org/", "inkling"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


def test_a_token_opens_its_account(tmp_path: Path) -> None:
    token, lines = made_token('mara "m"', ["finance", "all staff"])
    other, more = made_token("tom")
    accounts = Tokens([AccountsFile(write(tmp_path / "a.toml", f"{lines}\n{more}"))])
    assert accounts.of(token).principals == {
        'user:mara "m"', "group:finance", "group:all staff", "everyone"
    }  # fmt: skip
    assert accounts.of(other).name == "tom"
    for wrong in ("", token[:-1], token + "x", "\udcff", "x" * 50_000):
        with pytest.raises(NoAccountError, match="belongs to no account"):
            accounts.of(wrong)
    assert token not in lines


def test_a_changed_file_holds_for_the_next_question(tmp_path: Path) -> None:
    token, lines = made_token("mara")
    file = write(tmp_path / "a.toml", "")
    accounts = AccountsFile(file)
    assert accounts.of(token) is None
    write(file, lines)
    assert accounts.of(token) is not None
    write(file, "[[account]]\nname = ")  # as an editor may leave it for a moment
    assert accounts.of(token) is not None
    assert "stay as they were" in accounts.problem()
    write(file, "# nobody any more")
    assert accounts.of(token) is None
    assert accounts.problem() == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[account]]\nname = 'mara'", "sha256"),
        ("[[account]]\nname = 'mara'\nsha256 = 'secret'", "sha256"),
        ("[[accounts]]", "unknown field"),
        ("[[account]", "can't be understood"),
    ],
)
def test_a_file_that_is_none_is_said_at_the_start(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InklingError, match=said):
        AccountsFile(write(tmp_path / "a.toml", text))


def test_a_file_that_anybody_may_write_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path / "a.toml", "")
    with pytest.raises(InklingError, match="can't be read"):
        AccountsFile(tmp_path / "none.toml")
    if hasattr(os, "getuid"):
        file.chmod(0o666)
        with pytest.raises(InklingError, match="Anybody on this machine"):
            AccountsFile(file)


class Login:
    """A provider with a key of each kind."""

    def __init__(self, folder: Path) -> None:
        self.keys: dict[str, Any] = {
            "RS256": rsa.generate_private_key(65537, 2048),
            "ES256": ec.generate_private_key(ec.SECP256R1()),
        }
        self.file = folder / "jwks.json"
        self.publish(*self.keys)

    def publish(self, *algorithms: str) -> None:
        rows = []
        for name in algorithms:
            algorithm = jwt.get_algorithm_by_name(name)
            row = json.loads(algorithm.to_jwk(self.keys[name].public_key()))
            rows.append({**row, "kid": name, "use": "sig"})
        self.file.write_text(json.dumps({"keys": rows}))

    def token(self, algorithm: str = "RS256", key: Any = None, **changed: Any) -> str:
        now = time.time()
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 600, "sub": "7",
            "preferred_username": "mara", "groups": ["finance", "", 3], **changed,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(
            claims, key or self.keys[algorithm], algorithm, {"kid": changed.get("kid", algorithm)}
        )


@pytest.fixture(scope="module")
def login(tmp_path_factory: pytest.TempPathFactory) -> Login:
    return Login(tmp_path_factory.mktemp("login"))


@pytest.fixture
def accounts(login: Login) -> OidcAccounts:
    return OidcAccounts(Provider(ISSUER, AUDIENCE, str(login.file)))


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_provider_s_token_opens_an_account(
    login: Login, accounts: OidcAccounts, algorithm: str
) -> None:
    account = accounts.of(login.token(algorithm))
    assert account is not None
    assert account.principals == {"user:mara", "group:finance", "everyone"}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exp": time.time() - 900}, r"has expired \d+ min ago"),
        ({"nbf": time.time() + 3_600}, "the clocks of provider and service differ"),
        ({"aud": "another"}, "made for another service"),
        ({"exp": None}, "lacks “exp”"),
        ({"preferred_username": None}, "says nothing of “preferred_username”"),
        ({"kid": "unknown"}, "not signed as it should be"),
    ],
)
def test_what_is_wrong_with_a_token_is_said(
    login: Login, accounts: OidcAccounts, changed: dict[str, Any], said: str
) -> None:
    with pytest.raises(NoAccountError, match=said):
        accounts.of(login.token(**changed))


def test_a_little_difference_of_clocks_is_none(login: Login, accounts: OidcAccounts) -> None:
    now = time.time()
    assert accounts.of(login.token(nbf=now + 15, iat=now + 15, exp=now + 600)) is not None
    assert accounts.of(login.token(exp=now - 15)) is not None


def test_nobody_signs_with_what_all_know(login: Login, accounts: OidcAccounts) -> None:
    forged = login.token("HS256", key="a secret of 32 letters or more, or so")
    with pytest.raises(NoAccountError, match="not signed"):
        accounts.of(forged)
    unsigned = jwt.encode({"iss": ISSUER, "aud": AUDIENCE}, None, "none")
    with pytest.raises(NoAccountError, match="not signed"):
        accounts.of(unsigned)
    other = rsa.generate_private_key(65537, 2048)
    with pytest.raises(NoAccountError, match="not signed"):
        accounts.of(login.token(key=other))
    assert accounts.of("inkling_abc") is None  # another kind's
    assert accounts.of(login.token(iss="https://elsewhere.example.org/")) is None


def test_a_provider_that_can_t_be_asked_is_said(tmp_path: Path, login: Login) -> None:
    accounts = OidcAccounts(Provider(ISSUER, AUDIENCE, str(tmp_path / "none.json")))
    with pytest.raises(InklingError, match="can't be read from"):
        accounts.of(login.token())
    assert "none.json" in accounts.problem()
    plain = OidcAccounts(Provider(ISSUER, AUDIENCE, "http://login.example.org/keys"))
    with pytest.raises(InklingError, match="over https or from a file"):
        plain.of(login.token())
    with pytest.raises(InklingError, match="need an audience"):
        Provider(ISSUER, "")
