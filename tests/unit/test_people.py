import pytest

from shared.people import Keys, domain_of, normal_address

SECRET = b"0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Kim+news@CUST.example", "kim@cust.example"),
        ("  kim@cust.example\r\n", "kim@cust.example"),
        ("<kim@cust.example>", "kim@cust.example"),
        ("'kim@cust.example'", "kim@cust.example"),
        ("kim@cust.example.", "kim@cust.example"),
        ("jo@BÜCHER.example", "jo@xn--bcher-kva.example"),
        ("jo@faß.de", "jo@xn--fa-hia.de"),
        ("jo@xn--fa-hia.de", "jo@xn--fa-hia.de"),
        ("jo@σίγμας.example", "jo@xn--kxaef0b5ab.example"),
        ("jo@ﬁrma.example", "jo@firma.example"),
        ("jo@☕.example", "jo@xn--53h.example"),
        ("jo@a_b.bücher.example", "jo@a_b.xn--bcher-kva.example"),
        ("+only@cust.example", "+only@cust.example"),
        ("o'hara@cust.example", "o'hara@cust.example"),
        ("a.b_c-d@mail", "a.b_c-d@mail"),
        ("jürgen@cust.example", "jürgen@cust.example"),
    ],
)
def test_addresses_have_one_normal_form(text: str, normal: str) -> None:
    assert normal == normal_address(text)
    assert normal == normal_address(normal)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "kim",
        "kim@",
        "@cust.example",
        "a b@cust.example",
        "a@b@cust.example",
        "a@cu st.example",
        "a@-",
        "a@b..c",
        "/o=org/cn=recipients/cn=kim",
        "a,b@cust.example",
        "a@" + "x" * 320,
        "ü" * 320 + "@cust.example",
        "a@b\x00.example",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        normal_address(text)


def test_an_address_may_have_320_characters_and_no_more() -> None:
    domain = "@" + ".".join(("b" * 63, "c" * 63, "d" * 63, "e" * 61))
    longest = "a" * (320 - len(domain)) + domain
    assert longest == normal_address(longest)
    with pytest.raises(ValueError, match="not an e-mail address"):
        normal_address("a" + longest)


def test_the_domain_of_an_address_follows_the_last_at() -> None:
    assert domain_of("kim@cust.example") == "cust.example"
    assert domain_of("") == ""


def test_keys_are_64_bit_stable_and_differ_by_kind_and_secret() -> None:
    keys, others = Keys(SECRET), Keys(SECRET[::-1])
    kinds = [keys.address, keys.party, keys.domain, keys.record, keys.conversation]
    found = {kind("same text") for kind in kinds}
    assert len(found) == 5
    assert all(0 < key < 2**64 for key in found)
    assert keys.address("kim@cust.example") == Keys(SECRET).address("kim@cust.example")
    assert keys.address("kim@cust.example") != others.address("kim@cust.example")


def test_a_key_is_the_same_in_every_release() -> None:
    """Stored rows hold these numbers: a change of the hash needs a migration."""
    assert Keys(SECRET).address("kim@cust.example") == 3035028491630107677


def test_a_short_secret_is_refused_and_a_long_one_is_used_whole() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Keys(b"short")
    assert Keys(b"x" * 100).record("a") != Keys(b"x" * 99 + b"y").record("a")
