"""Which Host and Origin a node takes: its own names, this machine's, and whom the environment lets in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replstore.http.access import AccessPolicy, is_host, is_origin
from replstore.http.syntax import HttpError

OWN = AccessPolicy(names=["node-1", "Node-2", "db.lan"])


def refusal(policy: AccessPolicy, **headers: str) -> HttpError:
    with pytest.raises(HttpError) as caught:
        policy.check(headers)
    return caught.value


@pytest.mark.parametrize(
    "host",
    [
        "localhost", "localhost:4001", "LOCALHOST.", "lab.localhost:1", "127.0.0.1:4001", "127.8.9.10", "[::1]:4001",
        "[::ffff:127.0.0.1]", "10.1.2.3:4001", "0.0.0.0:4001", "[fe80::1]", "node-1:4000", "NODE-2", "db.lan", "",
    ],
)  # fmt: skip
def test_a_host_that_rebinding_cannot_forge_is_taken(host: str) -> None:
    assert OWN.check({"host": host}) == ()


def test_no_host_at_all_is_taken() -> None:
    assert OWN.check({}) == ()


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:4001", "localhost.evil.example", "127.0.0.1.evil.example", "x", "node-9",
        "notlocalhost", "2130706433", "0x7f.1", "127.1", "xn--lclhst-8ta",
    ],
)  # fmt: skip
def test_a_foreign_name_is_refused_with_what_to_set(host: str) -> None:
    error = refusal(OWN, host=host)

    assert error.status == 403
    assert host in error.message
    assert "ALLOW_HOST=" in error.message


@pytest.mark.parametrize("host", ["a b", "user@localhost", "localhost:http", "localhost, evil", "[::1", "localhost/x"])
def test_what_is_no_host_is_malformed(host: str) -> None:
    assert refusal(OWN, host=host).status == 400


@pytest.mark.parametrize(
    "origin",
    [
        "http://localhost:8888", "https://localhost", "http://127.0.0.1:8888", "http://[::1]:8888", "http://a.localhost",
        "http://node-1:4000", "http://10.1.2.3:4001",
    ],
)  # fmt: skip
def test_pages_of_this_machine_of_the_cluster_and_of_the_node_itself_are_let_in_by_name(origin: str) -> None:
    assert OWN.check({"host": "10.1.2.3:4001", "origin": origin}) == (
        ("Access-Control-Allow-Origin", origin),
        ("Vary", "Origin"),
    )


@pytest.mark.parametrize(
    "origin",
    [
        "null", "", "http://evil.example", "http://localhost.evil.example", "http://10.1.2.3:8888", "file://",
        "http://localhost@evil.example", "http://evil.example#localhost", "http://evil.example/localhost",
        "chrome-extension://localhost", "http://localhost http://evil.example", "http://localhost, http://evil.example",
    ],
)  # fmt: skip
def test_pages_of_others_are_refused_with_what_to_set(origin: str) -> None:
    error = refusal(OWN, host="10.1.2.3:4001", origin=origin)

    assert error.status == 403
    assert "ALLOW_ORIGIN=" in error.message


def test_the_lessons_open_header_is_sent_to_everybody_where_it_was_asked_for() -> None:
    policy = AccessPolicy(origins=["*"])

    for headers in ({}, {"origin": "null"}, {"origin": "http://evil.example"}):
        assert policy.check({"host": "localhost", **headers}) == (("Access-Control-Allow-Origin", "*"),)


def test_an_open_origin_does_not_open_the_host() -> None:
    assert refusal(AccessPolicy(origins=["*"]), host="evil.example").status == 403


def test_named_origins_and_hosts_are_let_in_and_no_others() -> None:
    policy = AccessPolicy(hosts=["Lab.Example.org"], origins=["http://App.example.org:3000"])

    assert policy.check({"host": "lab.example.org:4001", "origin": "http://app.example.org:3000"})
    assert refusal(policy, host="localhost", origin="http://app.example.org").status == 403
    assert refusal(policy, host="lab.example.com").status == 403
    assert AccessPolicy(hosts=["*"]).check({"host": "evil.example"}) == ()


@given(st.text(max_size=40), st.none() | st.text(max_size=40))
def test_whatever_is_sent_is_taken_or_refused(host: str, origin: str | None) -> None:
    headers = {"host": host} if origin is None else {"host": host, "origin": origin}
    try:
        cors = OWN.check(headers)
    except HttpError as error:
        cors = ()
        status = error.status
    else:
        status = 200

    assert status in (200, 400, 403)
    assert bool(cors) == (status == 200 and origin is not None)


def test_what_the_environment_takes_is_written_as_browsers_write_it() -> None:
    assert is_origin("http://lab.example.org:8888")
    assert not any(map(is_origin, ("lab.example.org", "http://lab/", "ftp://lab", "null", "")))
    assert is_host("lab.example.org")
    assert not any(map(is_host, ("lab:4001", "http://lab", "", "a b")))
