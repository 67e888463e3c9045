"""Random spans as OTLP requests, the same ones for the same seed, for processors that edit them: values of every type, some of
which hold what is to be redacted; attributes of resources, scopes, events and links; names with parts in them."""
import random
import struct

from random_traces import BASE, attributes, field, varint

CARDS = ["4111111111111111", "5105105105105100", "4222222222222"]
TEXTS = (["checkout", "GET /cart/7", "alice@example.com", "bob@mycompany.com and carol@example.com", "10.1.2.3", "", " ", "a,b",
          "card 4111111111111111 of 5105105105105100", "line one\nline two\n", "\n", "caf\u00e9 \u65e5\u672c", "****", "secret",
          "secretsecret", "https://shop.example/cart/7?token=secret", "12", "1.5", "true", "x" * 300] + CARDS)
NAMES = ["/api/v1/document/321/update", "/api/v1/document//update", "/api/v2/user/17", "GET /cart/7/items/12", "checkout", "",
         "SELECT shop.orders", "a-b-c", "{id}", "health", "/health"]
TRACE_STATES = ["", "", "vendor=a", "ot=th:8,vendor=b", "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"]
KEYS = ["http.request.method", "http.route", "db.system.name", "db.operation.name", "user.id", "user.email", "auth_token",
        "api_key", "note", "card", "k8s.pod.name", "safe", "retries", "ratio", "cached", "tags", "details", "raw", "empty",
        "redaction.masked.count", "redaction.masked.keys", "redaction.redacted.count", "redaction.allowed.keys"]


def any_value(rng, depth=2):
    kind = rng.choices(("text", "int", "real", "bool", "bytes", "list", "map", "empty"), (60, 12, 6, 6, 2, 4, 4, 2))[0]
    if kind == "text":
        return field(1, rng.choice(TEXTS).encode())
    if kind == "bool":
        return b"\x10" + varint(rng.random() < 0.5)
    if kind == "int":
        return b"\x18" + varint(rng.choice([0, 1, -1, 7, 4111111111111111, 4222222222222, -(1 << 63), (1 << 63) - 1, 200, 404]))
    if kind == "real":
        return b"\x21" + struct.pack("<d", rng.choice([0.0, 1.5, -2.25, 1e21, 1e-7, 123456789.125, 4111111111111111.0]))
    if kind == "bytes":
        return field(7, rng.randbytes(rng.randrange(8)))
    if kind == "list" and depth:
        return field(5, b"".join(field(1, any_value(rng, depth - 1)) for _ in range(rng.randrange(4))))
    if kind == "map" and depth:
        keys = rng.sample(KEYS, rng.randrange(4))
        return field(6, b"".join(field(1, field(1, key.encode()) + field(2, any_value(rng, depth - 1))) for key in keys))
    return b""


def random_attributes(rng, number, most):
    """Keys that are there once: of one that is there twice the collector changes the first alone."""
    keys = rng.sample(KEYS, rng.randint(0, most))
    return b"".join(field(number, field(1, key.encode()) + field(2, any_value(rng))) for key in keys)


def random_span(rng, trace_id):
    start = BASE + rng.randrange(1_000_000_000)
    events = b"".join(
        field(11, b"\x09" + struct.pack("<Q", start) + field(2, rng.choice(NAMES).encode()) + random_attributes(rng, 3, 4))
        for _ in range(rng.choice((0, 0, 0, 1, 2))))
    links = b"".join(field(13, field(1, rng.randbytes(16)) + field(2, rng.randbytes(8)) + random_attributes(rng, 4, 2))
                     for _ in range(rng.choice((0, 0, 0, 1))))
    status = rng.choice((b"", b"\x18\x01", b"\x18\x02", field(2, b"it failed") + b"\x18\x02"))
    rest = field(3, rng.choice(TRACE_STATES).encode()) + b"\x85\x01" + struct.pack("<I", rng.choice((0, 1, 257, 769)))
    dropped = b"".join(bytes([tag]) + varint(rng.randrange(300)) for tag in (0x50, 0x60, 0x70) if rng.random() < 0.3)
    return b"".join((field(1, trace_id), field(2, rng.randbytes(8)), field(4, rng.randbytes(8)) if rng.random() < 0.5 else b"",
                     field(5, rng.choice(NAMES).encode()), b"\x30" + varint(rng.randrange(1, 6)),
                     struct.pack("<BQBQ", 0x39, start, 0x41, start + rng.randrange(1_000_000)),
                     random_attributes(rng, 9, 10), events, links, field(15, status), dropped, rest))


def random_requests(seed, count, spans_a_request):
    """So many requests; some traces reach over several of them."""
    rng = random.Random(seed)
    traces = [rng.randbytes(16) for _ in range(count * spans_a_request // 3)]
    requests = []
    for _ in range(count):
        body = b""
        for _ in range(rng.randint(1, 3)):
            resource = attributes(1, [("service.name", rng.choice(["shop", "cart", "pay"]))]) + random_attributes(rng, 1, 6)
            scopes = b""
            for _ in range(rng.randint(1, 2)):
                scope = field(1, rng.choice([b"http", b"sql"])) + field(2, rng.choice([b"1.2", b""])) + random_attributes(rng, 3, 2)
                spans = b"".join(field(2, random_span(rng, rng.choice(traces))) for _ in range(rng.randint(1, spans_a_request // 3)))
                scopes += field(2, field(1, scope) + spans + field(3, rng.choice((b"", b"https://schemas.example/1.2"))))
            body += field(1, field(1, resource) + scopes + field(3, rng.choice((b"", b"https://schemas.example/1.3"))))
        requests.append(body)
    return requests
