"""The network in the manifest: indexes, faults, hosts to be let through. Every mistake with its line and a remedy."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uvmre.core.mre.manifest import dump, parse
from uvmre.core.mre.model import Control, Environment, Mre, Step, overlay
from uvmre.core.mre.symptom import Symptom
from uvmre.core.network.index import Fault, Index
from uvmre.core.network.registries import PROFILES
from uvmre.core.network.synthetic import SyntheticPackage
from uvmre.errors import InputError

HEAD = """\
schema = 1
title = "A network of its own"

[environment]
uv = "0.5.21"
allow-hosts = ["github.com", "*.githubusercontent.com"]

[[step]]
role = "observe"
run = "uv sync"

[symptom]
output = ["401 Unauthorized"]

[[control]]
name = "no faults"
expect = "absent"
faults = false

"""
TAIL = """\
[[index]]
url = "https://private.example.com/simple"
registry = "gitlab"
username = "someone"
password = "secret"
synthetic = "merge"

[index.packages.acme.versions."1.0"]
requires = ["six"]
upload-time = 2024-01-01T00:00:00Z

[[index]]
url = "https://pypi.org/simple"

[[fault]]
url = "https://*/simple/*"
times = 2
times-each = 1
seed = 7
status = 429
retry-after = 0
delay = 0.5
drip = 1000
cut = 0
truncate = 0
corrupt = 1
wrong-hash = true
missing-metadata = true
expired-certificate = true
redirect-loop = true

[[fault]]
url = "http://a"
delay = 1
"""
WHOLE = HEAD + TAIL


def faults(text: str) -> tuple[str, ...]:
    with pytest.raises(InputError) as raised:
        parse(text)
    return raised.value.faults


def below(table: str) -> tuple[str, ...]:
    """Return the mistakes of a table that stands below a sound head, without their lines."""
    return tuple(mistake.partition(": ")[2] for mistake in faults(HEAD + table))


def test_every_key_is_read() -> None:
    mre = parse(WHOLE)
    made = SyntheticPackage("acme", "1.0", requires=("six",), uploaded=datetime(2024, 1, 1, tzinfo=UTC))
    assert mre.environment.allow_hosts == ("github.com", "*.githubusercontent.com")
    assert mre.indexes == (
        Index("https://private.example.com/simple", "gitlab", "someone", "secret", "merge", packages=(made,)),
        Index("https://pypi.org/simple"),
    )
    assert mre.faults == (
        Fault(
            url="https://*/simple/*",
            times=2,
            times_each=1,
            seed=7,
            status=429,
            retry_after=0,
            delay=0.5,
            drip=1000,
            cut=0,
            truncate=0,
            corrupt=1,
            wrong_hash=True,
            missing_metadata=True,
            expired_certificate=True,
            redirect_loop=True,
        ),
        Fault("http://a", delay=1),
    )
    assert [control.faults for control in mre.controls] == [False]


def test_a_manifest_without_a_network_has_the_real_one() -> None:
    mre = parse(HEAD.replace("allow-hosts", "# ").replace("faults = false", ""))
    assert (mre.indexes, mre.faults, mre.environment.allow_hosts) == ((), (), ())
    assert mre.controls[0].faults is True


def test_a_control_may_be_without_the_faults() -> None:
    mre = parse(WHOLE)
    assert overlay(mre, mre.controls[0]).faults == ()
    assert overlay(mre, Control("other", "absent")).faults == mre.faults
    assert overlay(mre, mre.controls[0]).indexes == mre.indexes


HOST = 'must be a host name, such as "example.com" or "*.example.com", not {!r}'
URL = 'must be a URL, such as "https://private.example.com/simple", not {!r}'
PATTERN = 'must be a URL, with `*` for anything, such as "https://pypi.org/simple/*", not {!r}'
KINDS = (
    "corrupt, cut, delay, drip, expired-certificate, missing-metadata, redirect-loop, refused, status, timeout, truncate, "
    "unresolvable, untrusted-issuer, wrong-hash"
)
NAMED = (
    'must have a host name, such as "https://example.com/*" or "https://*.example.com/*", because only a name can be '
    "unresolvable, not {!r}"
)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        pytest.param('["github.com", ', '["GitHub.com", ', f"line 6: environment.allow-hosts item 1: {HOST.format('GitHub.com')}", id="a host in capitals"),
        pytest.param('["github.com", ', '["https://github.com", ', f"line 6: environment.allow-hosts item 1: {HOST.format('https://github.com')}", id="an address for a host"),
        pytest.param('"*.githubusercontent.com"]', '"*"]', f"line 6: environment.allow-hosts item 2: {HOST.format('*')}", id="every host"),
        pytest.param('"*.githubusercontent.com"]', '"raw.*.com"]', f"line 6: environment.allow-hosts item 2: {HOST.format('raw.*.com')}", id="a star in the middle"),
        pytest.param('"*.githubusercontent.com"]', '"github.com:443"]', f"line 6: environment.allow-hosts item 2: {HOST.format('github.com:443')}", id="a host with a port"),
        pytest.param('["github.com", "*.githubusercontent.com"]', '"github.com"', "line 6: environment.allow-hosts must be a list", id="one host without brackets"),
        pytest.param('["github.com", ', '[1, ', f"line 6: environment.allow-hosts item 1: {HOST.format(1)}", id="a number for a host"),
        pytest.param("faults = false", 'faults = "no"', "line 18: control[1].faults must be true or false, not 'no'", id="a control's faults as a text"),
        pytest.param("faults = false", "faults = 0", "line 18: control[1].faults must be true or false, not 0", id="a control's faults as a number"),
        pytest.param('url = "https://private.example.com/simple"\n', "", "line 20: index[1].url is missing: add `url = …`", id="an index without its address"),
        pytest.param('"https://private.example.com/simple"', '"private.example.com/simple"', f"line 21: index[1].url {URL.format('private.example.com/simple')}", id="an address without its scheme"),
        pytest.param('"https://private.example.com/simple"', '"file:///simple"', f"line 21: index[1].url {URL.format('file:///simple')}", id="an address of another scheme"),
        pytest.param('"https://private.example.com/simple"', '"https:///simple"', f"line 21: index[1].url {URL.format('https:///simple')}", id="an address without a host"),
        pytest.param('"https://private.example.com/simple"', '"https://[::1/simple"', f"line 21: index[1].url {URL.format('https://[::1/simple')}", id="an address with half a bracket"),
        pytest.param('"https://private.example.com/simple"', '"https://a:b@private.example.com/simple"', "line 21: index[1].url must not contain credentials: use `username` and `password`", id="an address with credentials"),
        pytest.param('"https://private.example.com/simple"', "7", "line 21: index[1].url must be a non-empty string", id="a number for an address"),
        pytest.param('"https://private.example.com/simple"', '"https://a\\nb/simple"', "line 21: index[1].url must be a single line", id="an address of two lines"),
        pytest.param('"gitlab"', '"gitea"', f"line 22: index[1].registry must be {' or '.join(chr(34) + name + chr(34) for name in PROFILES)}, not 'gitea'", id="a registry that nobody knows"),
        pytest.param('"gitlab"', '["gitlab"]', f"line 22: index[1].registry must be {' or '.join(chr(34) + name + chr(34) for name in PROFILES)}, not ['gitlab']", id="two registries"),
        pytest.param('username = "someone"', 'user = "someone"', "line 23: index[1].user is not a known key: did you mean `username`?", id="an unknown key of an index"),
        pytest.param('username = "someone"', 'username = ""', "line 23: index[1].username must be a non-empty string", id="an empty name"),
        pytest.param('password = "secret"', "", "line 23: index[1].username needs a password: add `password = …`", id="a name without a password"),
        pytest.param('password = "secret"', "password = 1234", "line 24: index[1].password must be a non-empty string", id="a password that is a number"),
        pytest.param('synthetic = "merge"', 'synthetic = "behind"', "line 25: index[1].synthetic must be \"override\" or \"merge\" or \"replace\", not 'behind'", id="a universe that is nowhere"),
        pytest.param('"https://pypi.org/simple"', '"https://private.example.com/simple/"', "line 32: index[2].url is already used ('https://private.example.com/simple/'): an address has one index", id="two indexes at one address"),
        pytest.param('requires = ["six"]', 'requires = "six"', "line 28: index[1].packages.acme.versions.1.0.requires must be a list", id="a mistake of a package"),
        pytest.param('"https://*/simple/*"', '"*"', f"line 35: fault[1].url {PATTERN.format('*')}", id="a pattern without a scheme"),
        pytest.param('"https://*/simple/*"', '"https:///x"', f"line 35: fault[1].url {PATTERN.format('https:///x')}", id="a pattern without a host"),
        pytest.param('"https://*/simple/*"', '"http*://x"', f"line 35: fault[1].url {PATTERN.format('http*://x')}", id="a pattern with a star in its scheme"),
        pytest.param('"https://*/simple/*"', "7", "line 35: fault[1].url must be a non-empty string", id="a number for a pattern"),
        pytest.param('url = "http://a"\n', "", "line 51: fault[2].url is missing: add `url = …`", id="a fault of no URL"),
        pytest.param("times = 2", "times = 0", "line 36: fault[1].times must be a whole number from 1 to 1000000, not 0", id="no times"),
        pytest.param("times = 2", "times = true", "line 36: fault[1].times must be a whole number from 1 to 1000000, not True", id="times that are true"),
        pytest.param("times-each = 1", "times-each = 1.5", "line 37: fault[1].times-each must be a whole number from 1 to 1000000, not 1.5", id="half a time"),
        pytest.param("times-each = 1", "times_each = 1", "line 37: fault[1].times_each is not a known key: did you mean `times-each`?", id="an unknown key of a fault"),
        pytest.param("seed = 7", "seed = -1", "line 38: fault[1].seed must be a whole number from 0 to 9007199254740992, not -1", id="a seed below nought"),
        pytest.param("status = 429", "status = 600", "line 39: fault[1].status must be a whole number from 200 to 599, not 600", id="a status that is none"),
        pytest.param("status = 429", "status = 100", "line 39: fault[1].status must be a whole number from 200 to 599, not 100", id="a status that is no answer"),
        pytest.param("status = 429", "", "line 40: fault[1].retry-after needs a status: add `status = 429`", id="a wait without a status"),
        pytest.param("retry-after = 0", "retry-after = -1", "line 40: fault[1].retry-after must be a whole number from 0 to 86400, not -1", id="a wait into the past"),
        pytest.param("delay = 0.5", "delay = nan", "line 41: fault[1].delay must be a number from 0 to 3600, not nan", id="a delay that is no number"),
        pytest.param("delay = 0.5", "delay = inf", "line 41: fault[1].delay must be a number from 0 to 3600, not inf", id="a delay without end"),
        pytest.param("delay = 0.5", "delay = true", "line 41: fault[1].delay must be a number from 0 to 3600, not True", id="a delay that is true"),
        pytest.param("drip = 1000", "drip = 0", "line 42: fault[1].drip must be a whole number from 1 to 1000000000, not 0", id="no drop at all"),
        pytest.param("cut = 0", "cut = -1", "line 43: fault[1].cut must be a whole number from 0 to 1000000000, not -1", id="a cut before the start"),
        pytest.param("truncate = 0", 'truncate = "1"', "line 44: fault[1].truncate must be a whole number from 0 to 1000000000, not '1'", id="a text for a number"),
        pytest.param("corrupt = 1\n", "corrupt = 0\n", "line 45: fault[1].corrupt must be a whole number from 1 to 1000000, not 0", id="no byte corrupted"),
        pytest.param("wrong-hash = true", "wrong-hash = 1", "line 46: fault[1].wrong-hash must be true or false, not 1", id="one for yes"),
        pytest.param("delay = 1\n", "", f"line 51: fault[2] describes no failure: add one of {KINDS}", id="a fault of nothing"),
        pytest.param("delay = 1\n", "delay = 0\n", f"line 51: fault[2] describes no failure: add one of {KINDS}", id="a delay of nothing"),
        pytest.param("delay = 1\n", "wrong-hash = false\ntimes = 1\nseed = 2\n", f"line 51: fault[2] describes no failure: add one of {KINDS}", id="a fault that is off"),
    ],
)  # fmt: skip
def test_a_mistake_is_reported_with_its_line_and_a_remedy(old: str, new: str, fault: str) -> None:
    assert WHOLE.count(old) == 1
    assert faults(WHOLE.replace(old, new)) == (fault,)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        pytest.param("[index]\nurl = 'https://a/simple'\n", ("index must be an array of tables: write [[index]]",), id="index with single brackets"),
        pytest.param("[fault]\nurl = 'https://a/simple'\n", ("fault must be an array of tables: write [[fault]]",), id="fault with single brackets"),
        pytest.param("[[index]]\n[[index]]\n", ("index[1].url is missing: add `url = …`", "index[2].url is missing: add `url = …`"), id="two indexes without an address are not at one"),
        pytest.param("[[index]]\nurl = 'https://a/simple'\n[[index]]\nurl = 'https://A/simple'\n", ("index[2].url is already used ('https://A/simple'): an address has one index",), id="the name of a host in other letters is the same host"),
        pytest.param("[[index]]\nurl = 'https://a:99999/simple'\n", ("index[1].url " + URL.format("https://a:99999/simple"),), id="a port that is none"),
        pytest.param("[[index]]\nurl = 'https://a/simple'\npublish-url = 'x'\ntrusted-publisher = 'org'\n", ("index[1].publish-url " + URL.format("x"), "index[1].trusted-publisher must be a repository, such as \"org/repo\", not 'org'", "index[1].trusted-publisher needs `publish-token`: add it"), id="wrong keys of uploads"),
        pytest.param("[[index]]\nurl = 'https://a/simple'\npublish-token = 't'\n[[index]]\nurl = 'https://b/simple'\npublish-url = 'https://c'\n[[index]]\nurl = 'https://d/simple'\npublish-url = 'https://c'\n", ("index[1].publish-token needs `publish-url`: add it", "index[3].publish-url is already used ('https://c'): choose another"), id="uploads without a URL, or to one that is used"),
        pytest.param("[[index]]\nurl = 'https://a/simple'\npackages = 1\n", ('index[1].packages must be a table: write [index.packages.NAME.versions."1.0.0"]',), id="packages that are none"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_reported(table: str, expected: tuple[str, ...]) -> None:
    assert below(table) == expected


@pytest.mark.parametrize(
    "key",
    [
        "status = 200",
        "delay = 0.001",
        "drip = 1",
        "cut = 0",
        "truncate = 0",
        "corrupt = 1",
        "wrong-hash = true",
        "missing-metadata = true",
        "expired-certificate = true",
        "redirect-loop = true",
        "unresolvable = true",
        "refused = true",
        "timeout = true",
    ],
)
def test_each_thing_alone_is_a_fault(key: str) -> None:
    [fault] = parse(f'{HEAD}[[fault]]\nurl = "https://a/*"\n{key}\n').faults
    assert fault != Fault("https://a/*")


@pytest.mark.parametrize(
    ("url", "keys", "expected"),
    [
        pytest.param("https://a/*", "refused = true\ntimes = 2\n", (), id="refused for a while"),
        pytest.param("https://10.0.0.1/*", "timeout = true\n", (), id="an address that never answers"),
        pytest.param("https://*.a.com/*", "unresolvable = true\n", (), id="every name below one"),
        pytest.param("https://*/*", "unresolvable = true\n", (), id="every name"),
        pytest.param("https://a.com:8080", "unresolvable = true\nstatus = 500\n", ("fault[1].status cannot be combined with `unresolvable`: the host never responds",), id="a status from nowhere"),
        pytest.param("https://a/*", "refused = true\ntimeout = true\n", ("fault[1].timeout cannot be combined with `refused`: the host never responds",), id="two ways at once"),
        pytest.param("https://a/*", "refused = true\ntimeout = false\n", (), id="one way, and the other is off"),
        pytest.param("https://a/*", "unresolvable = true\ntimes = 2\n", ("fault[1].times cannot be combined with `unresolvable`: use `refused = true`",), id="unresolvable for a while"),
        pytest.param("https://10.0.0.1/*", "unresolvable = true\n", (f"fault[1].url {NAMED.format('https://10.0.0.1/*')}",), id="an address has no name"),
        pytest.param("https://[::1]/*", "unresolvable = true\n", (f"fault[1].url {NAMED.format('https://[::1]/*')}",), id="nor has one of IPv6"),
        pytest.param("https://a*b/*", "unresolvable = true\n", (f"fault[1].url {NAMED.format('https://a*b/*')}",), id="part of a name"),
    ],
)  # fmt: skip
def test_a_host_that_cannot_be_reached_does_nothing_else(url: str, keys: str, expected: tuple[str, ...]) -> None:
    table = f'[[fault]]\nurl = "{url}"\n{keys}'
    assert (below(table) if expected else ()) == expected
    if not expected:
        mre = parse(HEAD + table)
        assert mre.faults[0].outage
        assert parse(dump(mre)) == mre


@pytest.mark.parametrize("profile", PROFILES)
def test_every_registry_may_be_named(profile: str) -> None:
    [index] = parse(f'{HEAD}[[index]]\nurl = "http://a:8080/simple/"\nregistry = "{profile}"\n').indexes
    assert index.profile is PROFILES[profile]


def test_what_is_at_its_default_is_not_written() -> None:
    step = Step("uv sync", "observe")
    plain = Mre("title", Environment("0.5.21"), (step,), Symptom(1, ("401 Unauthorized",)))
    assert not any(word in dump(plain) for word in ("index", "fault", "allow-hosts"))
    given = Mre(
        "title",
        Environment("0.5.21"),
        (step,),
        Symptom(1),
        (Control("c", "absent"),),
        indexes=(Index("https://a/simple"),),
        faults=(Fault("https://a/*", cut=0),),
    )
    text = dump(given)
    assert 'url = "https://a/simple"' in text
    assert "cut = 0" in text
    assert "faults" not in text


LINES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=12).filter(str.strip)
HOSTS = st.from_regex(r"(\*\.)?[a-z0-9]([a-z0-9.-]{0,8}[a-z0-9])?", fullmatch=True)
URLS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https"]),
    st.from_regex(r"[a-z]([a-z0-9-]{0,5}[a-z0-9])?(\.com)?", fullmatch=True),
    st.sampled_from(["", ":8443"]),
    st.sampled_from(["", "/", "/simple", "/simple/", "/a/b/+simple"]),
)
PACKAGES = st.lists(
    st.builds(
        SyntheticPackage,
        st.sampled_from(["acme", "Foo-Bar"]),
        st.sampled_from(["1.0", "2.0+cpu", "3!1"]),
        requires=st.sampled_from([(), ("six",), ("b; python_version > '3'", "c[x]")]),
        yanked=st.booleans() | LINES,
        uploaded=st.none() | st.datetimes(timezones=st.just(UTC)),
        sdist=st.booleans(),
    ),
    max_size=3,
    unique_by=lambda made: (made.name, made.version),
).map(lambda made: tuple(sorted(made, key=lambda one: one.name)))
CREDENTIALS = st.one_of(st.just(("", "")), st.tuples(st.just(""), LINES), st.tuples(LINES, LINES))
INDEXES = st.builds(
    lambda url, profile, credentials, synthetic, publish, packages: Index(
        url, profile, *credentials, synthetic, *publish, packages=packages
    ),
    URLS,
    st.sampled_from(list(PROFILES)),
    CREDENTIALS,
    st.sampled_from(["override", "merge", "replace"]),
    st.sampled_from(
        [(), ("https://a.com/legacy/",), ("https://a.com/up", "t0ken"), ("https://a.com/up", "t", "org/repo")]
    ),
    PACKAGES,
)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def wrong(fault: Fault) -> bool:
    """Tell whether a fault is one, and whether it says when to come again only with a status."""
    does = [fault.status, fault.drip, fault.cut, fault.truncate]
    flags = [fault.wrong_hash, fault.missing_metadata, fault.expired_certificate, fault.redirect_loop]
    something = any(given is not None for given in does) or any(flags) or fault.delay or fault.corrupt
    return bool(something) and (fault.retry_after is None or fault.status is not None)


FAULTS = st.builds(
    Fault,
    url=st.sampled_from(["https://*", "https://pypi.org/simple/*", "http://a.com/?x=[y]"]),
    times=maybe(st.integers(1, 1_000_000)),
    times_each=maybe(st.integers(1, 1_000_000)),
    seed=st.integers(0, 2**53),
    status=maybe(st.integers(200, 599)),
    retry_after=maybe(st.integers(0, 86_400)),
    delay=st.integers(0, 3600) | st.floats(0, 3600),
    drip=maybe(st.integers(1, 10**9)),
    cut=maybe(st.integers(0, 10**9)),
    truncate=maybe(st.integers(0, 10**9)),
    corrupt=st.integers(0, 10**6),
    wrong_hash=st.booleans(),
    missing_metadata=st.booleans(),
    expired_certificate=st.booleans(),
    redirect_loop=st.booleans(),
).filter(wrong)


def address(index: Index) -> tuple[str | None, str]:
    """Return what tells two indexes apart."""
    return urlsplit(index.url).hostname, index.root


MRES = st.builds(
    lambda hosts, indexes, faults, kept: Mre(
        "A network",
        Environment("0.5.21", allow_hosts=hosts),
        (Step("uv sync", "observe"),),
        Symptom(1, ("401 Unauthorized",)),
        (Control("c", "absent", faults=kept),),
        indexes=indexes,
        faults=faults,
    ),
    st.lists(HOSTS, max_size=3).map(tuple),
    st.lists(INDEXES, max_size=2, unique_by=(address, lambda index: index.publish_url or id(index))).map(tuple),
    st.lists(FAULTS, max_size=2).map(tuple),
    st.booleans(),
)


@given(MRES)
@settings(deadline=None, max_examples=50)
def test_what_is_written_is_what_is_read(mre: Mre) -> None:
    assert parse(dump(mre)) == mre


@given(MRES)
@settings(deadline=None, max_examples=15)
def test_what_is_written_twice_is_the_same(mre: Mre) -> None:
    assert dump(parse(dump(mre))) == dump(mre)
