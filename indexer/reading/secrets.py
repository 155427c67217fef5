"""What must not become a result: secrets, by what stands in a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from indexer.reading.payment_cards import card_numbers

Span = tuple[int, int, str]  # first character, character after the last, rule


@dataclass(frozen=True, slots=True)
class _Rule:
    """A kind of secret: an expression, and words without one of which it can't match.

    Looking for a plain word takes a fiftieth of the expression's time, and most texts have none.
    """

    name: str
    regex: re.Pattern[str]
    hints: tuple[str, ...]


#: Of detect-secrets: which plugins, and the hints of each. Left out are those that guess (entropy,
#: keyword), that match what is no secret (public addresses, plain hex after "key="), and those that
#: take quadratic time on a hostile text (jwt, npm, openai), whose like is among _TOKENS.
_PLUGINS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("aws", "AWSKeyDetector", ("A3T", "ABIA", "ACCA", "AKIA", "ASIA", "aws", "AWS", "Aws")),
    ("azure_storage_key", "AzureStorageKeyDetector", ("AccountKey=",)),
    ("discord", "DiscordBotTokenDetector", ("discord", "Discord", "DISCORD")),
    ("github_token", "GitHubTokenDetector", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_")),
    ("gitlab_token", "GitLabTokenDetector", ("gl", "GR1348941")),
    ("mailchimp", "MailchimpDetector", ("-us",)),
    ("pypi_token", "PypiTokenDetector", ("pypi-AgE",)),
    ("sendgrid", "SendGridDetector", ("SG.",)),
    ("slack", "SlackDetector", ("xox", "hooks.slack.com")),
    ("square_oauth", "SquareOAuthDetector", ("sq0csp-",)),
    ("stripe", "StripeDetector", ("k_live_",)),
)

#: Tokens that detect-secrets 1.5 does not know, by their issuers' documented prefixes. Whatever
#: repeats is bounded or can't begin anew in its middle: every text takes linear time.
_TOKENS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("Anthropic API Key", r"\bsk-ant-[\w-]{20,}", ("sk-ant-",)),
    ("OpenAI Token", r"\bsk-(?:proj|svcacct|admin)-[\w-]{20,}", ("sk-",)),
    ("OpenAI Token", r"\bsk-[A-Za-z0-9]{48}\b", ("sk-",)),
    (
        "JSON Web Token",
        r"(?<![\w-])eyJ[\w-]{8,2000}={0,2}\.eyJ[\w-]{4,8000}={0,2}\.[\w-]*",
        ("eyJ",),
    ),
    ("GitHub Token", r"\bgithub_pat_\w{60,}", ("github_pat_",)),
    ("Google API Key", r"\bAIza[\w-]{35}(?![\w-])", ("AIza",)),
    ("Google OAuth Secret", r"\bGOCSPX-[\w-]{28}", ("GOCSPX-",)),
    ("Google OAuth Token", r"\bya29\.[\w-]{30,}", ("ya29.",)),
    ("Hugging Face Token", r"\bhf_[A-Za-z]{34}\b", ("hf_",)),
    ("NPM tokens", r":_authToken=[\w-]{20,}", (":_authToken=",)),
    ("NPM tokens", r"\bnpm_[A-Za-z0-9]{36}\b", ("npm_",)),
    ("Slack Token", r"\bxapp-\d-[A-Z0-9]+-\d+-[a-z0-9]{20,}", ("xapp-",)),
    ("Slack Token", r"\bxox[abeprs]-[A-Za-z0-9-]{20,}", ("xox",)),
    ("Stripe Webhook Secret", r"\bwhsec_[A-Za-z0-9+/]{32,}", ("whsec_",)),
    ("Stripe Access Key", r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{24,}", ("k_live_", "k_test_")),
    ("DigitalOcean Token", r"\bdo[opr]_v1_[a-f0-9]{64}\b", ("_v1_",)),
    ("Shopify Token", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}\b", ("shp",)),
    ("Databricks Token", r"\bdapi[a-f0-9]{32}\b", ("dapi",)),
    ("Docker Token", r"\bdckr_pat_[\w-]{27}", ("dckr_pat_",)),
    ("Vault Token", r"\bhv[sb]\.[\w-]{24,}", ("hvs.", "hvb.")),
    ("Atlassian Token", r"\bATATT3[\w=-]{60,}", ("ATATT3",)),
    ("Telegram Bot Token", r"\b\d{8,10}:AA[\w-]{33}(?![\w-])", (":AA",)),
    ("Twilio API Key", r"\bSK[a-f0-9]{32}\b", ("SK",)),
    (
        "AWS Secret Key",
        r"(?i:secret)[\w.-]{0,30}[\"']?\s{0,4}[:=]>?\s{0,4}[\"']?(?-i:[A-Za-z0-9/+]{40})(?![\w/+=])",
        ("ecret", "ECRET"),
    ),
    ("Age Secret Key", r"\bAGE-SECRET-KEY-1[A-Z0-9]{58}", ("AGE-SECRET-KEY-1",)),
    ("Mailgun API Key", r"\bkey-[a-f0-9]{32}\b", ("key-",)),
)

_KEY_BLOCK = re.compile(
    r"-----BEGIN (?P<what>[A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?)-----"
    r"(?P<body>(?:(?!-----BEGIN)[\s\S]){40,20000}?)-----END (?P=what)-----"
)
#: A key whose end is on another page, or not in the picture.
_KEY_BEGINNING = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----(?:[\w+/=:,. \\-]*\s+){1,400}[\w+/=]*"
)
_PUTTY = re.compile(
    r"PuTTY-User-Key-File-\d: (?:(?!PuTTY-User-Key-File)[\s\S]){40,20000}?(?:Private-MAC: \S+|\Z)"
)
_BASE64 = re.compile(r"[A-Za-z0-9+/=]{24,}")

#: name = value, where the name says what the value is.
_ASSIGNED = re.compile(
    r"(?:[Pp]ass(?:wor[dt]|wd|phrase)|PASS(?:WORD|WD|PHRASE)|[Kk]ennwort|[Ss]ecret|SECRET"
    r"|(?:[Aa]pi|API|[Aa]ccess|ACCESS|[Pp]rivate|PRIVATE|[Ee]ncryption|ENCRYPTION)[ _-]?(?i:key)"
    r"|(?:[Aa]uth|AUTH|[Aa]ccess|ACCESS)[ _-]?(?i:token))"
    r"[\w-]{0,20}[\"']?[ \t]*(?::=|=>|[:=])[ \t]*"
    r"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`<>{}()\[\];,]{8,200})(?P=quote)(?=[\s,;)}\]]|$)"
)
_ASSIGNED_HINTS = (
    "password", "passwd", "passphrase", "passwort", "kennwort", "secret", "apikey", "api_key",
    "api-key", "accesskey", "access_key", "access-key", "auth_token", "auth-token", "authtoken",
    "access_token", "access-token", "accesstoken", "privatekey", "private_key", "private-key",
    "encryptionkey", "encryption_key", "encryption-key",
)  # fmt: skip
_URL_PASSWORD = re.compile(r"://[^:/?#\[\]@\s\"'<>]{1,80}:(?P<value>[^:/?#\[\]@\s\"'<>]{3,120})@")
#: A word of prose, and how many a text must have that a doubtful name does not withhold.
_PLAIN_WORD = re.compile(r"\W{0,3}[^\W\d_]{1,20}(?:['’-][^\W\d_]{1,20})?\W{0,3}")
_FEWEST_PLAIN = 5
_PLACEHOLDER = re.compile(
    r"(?i)x{4,}|\*{3,}|\.{3}|_{4,}|example|sample|dummy|placeholder|change[_-]?me|your[_-]|my[_-]"
    r"|some[_-]|insert|replace|todo|undefined|redacted|[$%<>{}]"
)


def _varied(token: str) -> bool:
    """Whether it has the variety of a random token; "ghp_xxxxxxxx" in a manual has not."""
    return len(set(token)) >= 10


@cache
def _rules() -> tuple[_Rule, ...]:
    """Every rule that is an expression; detect-secrets is loaded here, not at start."""
    from importlib import import_module

    rules: list[_Rule] = []
    for module, name, hints in _PLUGINS:
        plugin = getattr(import_module(f"detect_secrets.plugins.{module}"), name)
        rules.extend(_Rule(plugin.secret_type, regex, hints) for regex in plugin.denylist)
    rules.extend(_Rule(name, re.compile(pattern), hints) for name, pattern, hints in _TOKENS)
    return tuple(rules)


def secret_spans(text: str) -> list[Span]:
    """Where a text holds secrets, in order, and by which rule each was recognised."""
    spans: list[Span] = []
    for rule in _rules():
        if any(hint in text for hint in rule.hints):
            for match in rule.regex.finditer(text):
                if _varied(match[0]):
                    spans.append((match.start(), match.end(), rule.name))
    spans.extend(_key_blocks(text))
    ends = {end for _, end, _ in spans}
    spans.extend(span for span in _assigned(text) if span[1] not in ends)
    spans.extend((start, end, "Payment Card Number") for start, end in card_numbers(text))
    return sorted(set(spans))


def _key_blocks(text: str) -> Iterator[Span]:
    if "PRIVATE KEY" in text:
        position = 0
        while match := _KEY_BLOCK.search(text, position) or _KEY_BEGINNING.search(text, position):
            position = match.end()
            # A manual quotes the header alone, or a line of it; a key has a body.
            if sum(map(len, _BASE64.findall(match[0]))) >= 100:
                yield match.start(), match.end(), "Private Key"
    if "PuTTY-User-Key-File-" in text:
        for match in _PUTTY.finditer(text):
            yield match.start(), match.end(), "Private Key"


def _assigned(text: str) -> Iterator[Span]:
    if "://" in text and "@" in text:
        for match in _URL_PASSWORD.finditer(text):
            if _looks_chosen(match["value"]):
                yield match.start("value"), match.end("value"), "Basic Auth Credentials"
    folded = text.lower()
    if not any(hint in folded for hint in _ASSIGNED_HINTS):
        return
    for match in _ASSIGNED.finditer(text):
        if _looks_chosen(match["value"]) and not _is_reference(match["value"]):
            yield match.start("value"), match.end("value"), "Password or Key"


def _looks_chosen(value: str) -> bool:
    """Whether a value is a password or key somebody uses, and not a word, name or placeholder."""
    if len(value) < 8 or len(set(value)) < 6 or _PLACEHOLDER.search(value):
        return False
    classes = sum(
        bool(re.search(pattern, value)) for pattern in ("[a-z]", "[A-Z]", r"\d", r"[^\w]")
    )
    return bool(re.search(r"\d", value)) and classes >= 3


def _is_reference(value: str) -> bool:
    """Whether the value is code, a path, an address or a date rather than the secret itself."""
    if re.fullmatch(r"[A-Za-z_][\w]*(?:(?:\.|->|::)[A-Za-z_]\w*)+", value):
        return True
    return bool(re.match(r"(?:https?:|/|\./|~|\d{4}-\d\d-\d\d|sha\d+[:-]|arn:)", value))


def reads_as_prose(text: str) -> bool:
    """Whether a text is words that somebody wrote for people, with no secret among them."""
    words = text.split()
    plain = sum(_PLAIN_WORD.fullmatch(word) is not None for word in words)
    if plain < _FEWEST_PLAIN or plain < 0.6 * len(words) or secret_spans(text):
        return False
    return not any(len(token) >= 40 and _varied(token) for token in _BASE64.findall(text))
