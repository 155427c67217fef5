"""What a policy file forbids, where it lies on each system, and that it is never lifted."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from indexer.asking import policy
from indexer.asking.policy import Policy, policy_file, read_policy


@pytest.mark.parametrize(
    ("system", "environment", "path"),
    [
        ("linux", {}, "/etc/inkling/policy.toml"),
        ("freebsd14", {}, "/etc/inkling/policy.toml"),
        ("darwin", {}, "/Library/Application Support/Inkling/policy.toml"),
        ("win32", {"ProgramData": "D:\\Data"}, "D:\\Data\\Inkling\\policy.toml"),
        ("win32", {}, "C:\\ProgramData\\Inkling\\policy.toml"),
    ],
)
def test_where_it_lies(system: str, environment: dict[str, str], path: str) -> None:
    assert policy_file(environment, system) == path


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's file, in a place that a test may write."""
    path = tmp_path / "policy.toml"
    monkeypatch.setattr(policy, "policy_file", lambda *_: str(path))
    return path


def test_without_a_file_nothing_is_forbidden(written: Path) -> None:
    assert read_policy({}) == Policy()
    read_policy({}).check_other("example.org")


@pytest.mark.parametrize("text", ["", "[answers]\n", "[answers]\nother_machines = true\n"])
def test_one_that_forbids_nothing(written: Path, text: str) -> None:
    written.write_text(text)
    assert read_policy({}) == Policy()


def test_other_machines_are_forbidden(written: Path) -> None:
    written.write_text("[answers]\nother_machines = false\n[else]\nx = 1\n")
    found = read_policy({})
    found.check()
    with pytest.raises(InklingError, match="may not be asked") as caught:
        found.check_other("example.org")
    assert str(written) in caught.value.message


def test_all_asking_is_forbidden(written: Path) -> None:
    written.write_text("[answers]\nenabled = false\n")
    for check in (read_policy({}).check, lambda: read_policy({}).check_other("x")):
        with pytest.raises(InklingError, match="No language model may be asked"):
            check()


@pytest.mark.parametrize(
    "text",
    [
        b"[answers\n",
        b"\xff\xfe",
        b"answers = 3\n",
        b'[answers]\nother_machines = "no"\n',
        b"[answers]\nother_machine = false\n",
        b"[answers]\nenabled = 1\n",
    ],
)
def test_what_can_not_be_understood_forbids(written: Path, text: bytes) -> None:
    written.write_bytes(text)
    with pytest.raises(InklingError, match="can't be understood") as caught:
        read_policy({}).check()
    assert str(written) in caught.value.message


def test_what_can_not_be_read_forbids(written: Path) -> None:
    written.mkdir()
    with pytest.raises(InklingError, match="can't be understood"):
        read_policy({}).check()


def test_another_file_may_forbid_more_and_lift_nothing(written: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.toml"
    environment = {policy.VARIABLE: str(more)}
    with pytest.raises(InklingError, match="can't be understood"):
        read_policy(environment).check()  # it is named and not there
    more.write_text("[answers]\nother_machines = false\n")
    assert read_policy(environment).other_machines == str(more)
    written.write_text("[answers]\nenabled = false\nother_machines = false\n")
    more.write_text("[answers]\nenabled = true\nother_machines = true\n")
    found = read_policy(environment)
    assert (found.asking, found.other_machines) == (str(written), str(written))
