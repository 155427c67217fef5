"""Secrets are recognised by name and text; what only looks like one is left in peace.

Tokens are put together here, so that no scanner takes this file for a leak.
"""

from __future__ import annotations

import base64
import json
import random
import string

import pytest

from indexer.reading.payment_cards import card_numbers
from indexer.reading.secrets import secret_spans
from indexer.sources.secret_names import secret_name


def chars(count: int, alphabet: str = string.ascii_letters + string.digits, seed: int = 7) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=count))


def jwt() -> str:
    parts = [{"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": "Ada"}]
    encoded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=") for p in parts]
    return b".".join([*encoded, base64.urlsafe_b64encode(b"x" * 32).rstrip(b"=")]).decode()


def private_key(lines: int = 26, kind: str = "RSA ") -> str:
    alphabet = string.ascii_letters + string.digits + "+/"
    body = "\n".join(chars(64, alphabet, n) for n in range(lines))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


HEX = string.digits + "abcdef"
TOKENS = {
    "AWS Access Key": "AKIA" + chars(16, string.ascii_uppercase + string.digits),
    "GitHub Token": "ghp_" + chars(36),
    "GitHub Token ": "github_pat_" + chars(82),
    "GitLab Token": "glpat-" + chars(20),
    "Slack Token": "xoxb-" + chars(12, string.digits) + "-" + chars(24),
    "Stripe Access Key": "sk_live_" + chars(24),
    "SendGrid API Key": "SG." + chars(22) + "." + chars(43),
    "Google API Key": "AIza" + chars(35),
    "OpenAI Token": "sk-proj-" + chars(48),
    "Anthropic API Key": "sk-ant-api03-" + chars(80),
    "Hugging Face Token": "hf_" + chars(34, string.ascii_letters),
    "NPM tokens": "npm_" + chars(36),
    "PyPI Token": "pypi-AgEIcHlwaS5vcmc" + chars(80),
    "Telegram Bot Token": chars(9, "123456789") + ":AA" + chars(33),
    "DigitalOcean Token": "dop_v1_" + chars(64, HEX),
    "JSON Web Token": jwt(),
    "Mailchimp Access Key": chars(32, HEX) + "-us12",
    "Azure Storage Account access key": "AccountKey=" + chars(86) + "==",
}


@pytest.mark.parametrize("rule", TOKENS)
def test_tokens_are_found_where_they_stand(rule: str) -> None:
    token = TOKENS[rule]
    for before, after in (("", ""), ("my key is ", " keep it"), ('k = "', '"\n'), ("a:\n", "\n")):
        text = before + token + after
        spans = [s for s in secret_spans(text) if s[2] == rule.strip()]
        assert spans, (rule, text)
        start, end, _ = spans[0]
        assert start >= len(before) - 1
        assert end <= len(before + token) + 1


def test_private_keys_whole_cut_and_quoted() -> None:
    key = private_key()
    for text in (key, f"notes\n{key}\nmore", private_key(30, "OPENSSH "), private_key(12, "")):
        assert [rule for _, _, rule in secret_spans(text)] == ["Private Key"]
    # The rest is on the next page, or outside the screenshot.
    ((start, end, _),) = secret_spans(f"see: {key[:500]}")
    assert (start, end) == (5, 505)
    for text in (
        "A PEM file begins with -----BEGIN PRIVATE KEY----- and ends likewise.",
        "-----BEGIN PRIVATE KEY-----\n<your key>\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIEvgI...\n-----END PRIVATE KEY-----",
        f"-----BEGIN CERTIFICATE-----\n{chars(640)}\n-----END CERTIFICATE-----",
        f"-----BEGIN PUBLIC KEY-----\n{chars(640)}\n-----END PUBLIC KEY-----",
    ):
        assert secret_spans(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "password: Tr0ub4dor&3",
        'DB_PASSWORD="kX9#mmQ2!vb"',
        "Passwort: Wq7!nebel",
        'api_key = "zQ8-fG2kLw9TtRp"',
        '"client_secret": "8Yd-Kq2PzzLm4Xw"',
        "postgres://app:Xk9-pQ2mLz@db.internal/main",
        "aws_secret_access_key = " + chars(40, string.ascii_letters + string.digits + "/+"),
    ],
)
def test_passwords_that_are_named_are_found(text: str) -> None:
    assert len(secret_spans(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "password: your-password-here-1A",
        'password = os.environ["DB_PASSWORD"]',
        "password = settings.DATABASE_PASSWORD1",
        "PASSWORD=${DB_PASSWORD_1}",
        "password: ********",
        "the password: it must have 8 characters",
        "secret = get_secret('name-1')",
        "https://user:password@example.com",
        "token: <TOKEN>",
        "ghp_" + "x" * 36,
        "api_key: YOUR_API_KEY_1",
        "passwordField: UITextField2.secure",
        "def set_password(self, new_password: Optional[str] = None) -> None:",
        "sha256:" + chars(64, HEX),
        "commit " + chars(40, HEX),
        "password_hash: $2b$12$" + chars(20),
        "private_key: /etc/ssl/private/server1.key",
        "eyJub3QgYSB0b2tlbg.eyJ4",
    ],
)
def test_what_only_looks_like_a_secret_is_left_in_peace(text: str) -> None:
    assert secret_spans(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1111",
        "pay with 5555-5555-5555-4444, thanks",
        "Amex 3782 822463 10005",
        "Visa 4012888888881881 exp 12/27",
        "card number: 6011111111111117",
        "4111111111111111",
    ],
)
def test_card_numbers_are_found(text: str) -> None:
    ((start, end),) = card_numbers(text)
    assert text[start:end].replace(" ", "").replace("-", "").isdigit()
    assert [rule for _, _, rule in secret_spans(text)] == ["Payment Card Number"]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # check digit
        "9111 1111 1111 1111",  # no issuer
        "order 4012888888881881 was shipped",  # no word about cards
        "14111 1111 1111 1111",
        "4111 1111 1111 1111 1111",
        "4111 1111-1111 1111",
        "0.4111111111111111",
        "card v4111111111111111",
        "card 41111111111111112222",
        "0000 0000 0000 0000",
        "+49 4111 1111 1111 11",
    ],
)
def test_other_numbers_are_not_cards(text: str) -> None:
    assert card_numbers(text) == []


def test_a_table_of_identifiers_is_not_withheld() -> None:
    chance = random.Random(1)
    rows = "\n".join(f"{n},{chance.randrange(10**15, 10**16)}" for n in range(5000))
    assert secret_spans("id,reference\n" + rows) == []


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("/p/.env", ".env"),
        ("/p/.env.production", ".env.*"),
        ("/p/prod.env", "*.env"),
        ("/h/.ssh/id_rsa", "id_rsa"),
        ("/h/.ssh/deploy_ed25519", "*_ed25519"),
        ("Server.PEM", "*.pem"),
        ("vault.kdbx", "*.kdbx"),
        ("/h/.aws/credentials", "**/.aws/credentials"),
        ("Passwords.xlsx", "passwords.xlsx"),
        ("github-recovery-codes.txt", "*recovery-codes*.txt"),
        ("/h/p/Login Data", "login data"),
        ("client_secret_123.json", "client_secret*.json"),
        ("/p/.env.example", None),
        ("id_rsa.pub", None),
        ("password_reset.py", None),
        ("secrets.py", None),
        ("keynote.pdf", None),
        ("environment.yml", None),
        ("credentials.md", None),
        ("monkey", None),
    ],
)
def test_names_that_say_secret(path: str, rule: str | None) -> None:
    found = secret_name(path)
    assert (found is None) == (rule is None)
    if rule in ("*.pem", "*.kdbx", "**/.aws/credentials", "login data", "passwords.xlsx"):
        assert found == rule


@pytest.mark.parametrize(
    "piece",
    [
        "password=", "-----BEGIN PRIVATE KEY-----\n", "4111 ", "AKIA", "a.", "://a:", "eyJ", "eyJ.",
        "PuTTY-User-Key-File-2: ", "aws ", "sk-", "glpat-", "xoxb-1-", "-us", "MAAAAAAAA discord ",
        "-----BEGIN PRIVATE KEY-----", "PRIVATE KEY----- AAAA ", "secret", "AAAA\n", "1234567890",
        "://a:b1C-@", "SG.", "password = \"", "eyJaaaaaaaaaaaaaaaaa.eyJ",
        "BEGIN A PRIVATE KEY-----\nA",
    ],
)  # fmt: skip
def test_no_text_makes_it_slow(piece: str) -> None:
    """What grows with the square of a text would take hours for this one."""
    secret_spans(piece * (1_000_000 // len(piece)))
