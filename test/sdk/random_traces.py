"""Random traces as OTLP requests, the same ones for the same seed.

Half a million spans in a few seconds: a span's bytes are put together by hand, its attributes and names drawn from pools
that are made once. What is drawn is what policies ask for, and what they may stumble over: attributes of another type than
asked for, empty, or there twice; times that are missing or the wrong way around; trace states that are none."""
import random
import struct

BASE = 1_700_000_000_000_000_000  # Unix time in ns
PARTS_APART = 3  # further parts of a trace come up to so many requests after the part before
REQUESTS_A_TRACE = 1 + 3 * PARTS_APART  # from the one with its first part to the one with its last


def varint(value):
    out = bytearray()
    value &= (1 << 64) - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, payload):
    return varint(number << 3 | 2) + varint(len(payload)) + payload


def attribute(number, key, value):
    """A KeyValue, as the field of that number."""
    if isinstance(value, bool):
        encoded = b"\x10" + varint(value)
    elif isinstance(value, int):
        encoded = b"\x18" + varint(value)
    elif isinstance(value, float):
        encoded = b"\x21" + struct.pack("<d", value)
    else:
        encoded = field(1, value.encode())
    return field(number, field(1, key.encode()) + field(2, encoded))


def attributes(number, pairs):
    return b"".join(attribute(number, key, value) for key, value in pairs)


STATUSES = [200] * 60 + [404] * 4 + [500, 503, 0, -500, "500", 500.0, True, ""]
RETRIES = [0] * 40 + [1, 1, 2, 3, 9, -3, 1 << 40, -(1 << 63), (1 << 63) - 1, "2"]
PATHS = ["/checkout", "/cart/7", "/cart/items/12", "/search", "/login"] * 8 + ["/health", "", "/CART/7", 7]
TIERS = ["bronze"] * 200 + ["silver"] * 6 + ["gold", "golden", "", " gold", True, 3]
TRACE_STATES = (["vendor=c", "other=x", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"] * 8 +
                ["vendor=a", "other=x, vendor=b", "vendor=b ,other=x", "other=vendor,vendor=a", ",,vendor=a", "vendor=ab",
                 "xvendor=a", "vendor= a", "vendor=a,vendor=c", "vendor=c,vendor=a", "vendor=a,BAD=x", "vendor=a,x",
                 "vendor=a,x=", "vendor=a=b", "vendor=a, ", "1a@vendor=a,vendor=b", "vendor",
                 "vendor=a," + ",".join(f"k{i}=v" for i in range(32))])
EVENTS = [b""] * 40 + [field(11, field(2, name.encode()) + attributes(3, [("retries", 2)])) for name in
                       ("exception", "retry", "message", "")]
FLAGS = [0] * 30 + [0x100, 0x300, 0x1, 0x101, 0x301, 0x2]


def span_attributes(rng):
    pairs = [("url.path", rng.choice(PATHS))]
    if rng.random() < 0.9:
        pairs.append(("http.response.status_code", rng.choice(STATUSES)))
    if rng.random() < 0.5:
        pairs.append(("user.tier", rng.choice(TIERS)))
    if rng.random() < 0.2:
        pairs.append(("cached", rng.choice([True, False, False, False, False, "true", 1, ""])))
    if rng.random() < 0.3:
        pairs.append(("retries", rng.choice(RETRIES)))
    if rng.random() < 0.02:  # twice, and the first one counts
        pairs += span_attributes(rng)
    rng.shuffle(pairs)
    return pairs


def resource(rng, number):
    pairs = [("service.name", ["shop", "cart", "pay-eu", "pay-us", "search", "auth", "", 7][number % 8]),
             ("service.instance.id", f"{number}"), ("process.command_line", "/usr/bin/service --option " * 10)]
    if number % 5 == 0:
        pairs.append(("deployment.environment.name", rng.choice(["prod", "staging", "test"])))
    if number % 20 == 1:
        pairs.append(("cached", number % 40 == 1))
    if number == 30:
        pairs += [("user.tier", "gold"), ("retries", 3)]
    if number == 31:
        pairs = [("user.tier", ""), ("http.response.status_code", 503)]
    return field(1, attributes(1, pairs))


class RandomTraces:
    """`requests`: in the order in which they are to be sent. By trace id, `spans`: the ids of its spans, and `sizes`: its
    bytes as OTLP protobuf, but for the tags around resources and scopes."""

    def __init__(self, seed, count, traces_a_request):
        rng = self._rng = random.Random(seed)
        self._resources = [resource(rng, number) for number in range(40)]
        self._scopes = [field(1, field(1, f"library {i}".encode())) for i in range(3)]
        self._attributes = [attributes(9, span_attributes(rng)) for _ in range(5000)]
        self._names = [field(5, f"operation {i}".encode()) + b"\x30" + varint(i % 6) for i in range(40)]
        self.spans, self.sizes = {}, {}
        waiting = {}
        for number in range(count):
            slot = number // traces_a_request
            trace_id, parts = self._trace()
            self.sizes[trace_id] = sum(map(self._size, parts))
            for part in parts:
                waiting.setdefault(slot, []).extend(part)
                slot += rng.randint(0, PARTS_APART)
        self.requests = [self._request(waiting[slot]) for slot in sorted(waiting)]

    def _trace(self):
        """Its id, and up to four parts, each a list of (resource, scope, encoded span)."""
        rng = self._rng
        trace_id = rng.randbytes(16)
        count = rng.randint(1, 8)
        length = int(3000 ** rng.random() * 1_000_000)
        start = BASE + rng.randrange(1_000_000_000)
        failing = rng.randrange(count) if rng.random() < 0.04 else -1
        state = rng.choice(TRACE_STATES) if rng.random() < 0.2 else ""
        flags = rng.choice(FLAGS)
        home = rng.randrange(len(self._resources))
        spans, ids = [], []
        for number in range(count):
            span_id = rng.randbytes(8)
            encoded = self._span(trace_id, span_id, ids[0] if ids else b"", start, length if number == 0 else 0, state, flags,
                                 number == failing)
            place = home if rng.random() < 0.6 else rng.randrange(len(self._resources))
            spans.append((place, rng.randrange(len(self._scopes)), encoded))
            ids.append(span_id)
        self.spans[trace_id] = ids
        rng.shuffle(spans)
        cuts = sorted(rng.randint(0, count) for _ in range(rng.randint(0, 3)))
        return trace_id, [spans[begin:end] for begin, end in zip([0] + cuts, cuts + [count]) if begin < end]

    def _size(self, part):
        return (sum(len(self._resources[number]) for number in {each[0] for each in part}) +
                sum(len(self._scopes[scope]) for _, scope in {each[:2] for each in part}) +
                sum(len(encoded) for _, _, encoded in part))

    def _span(self, trace_id, span_id, parent, start, length, state, flags, fails):
        rng = self._rng
        draw = rng.random()
        if not length:  # within 100 ms of the trace's start
            start += rng.randrange(50_000_000)
            length = rng.randrange(50_000_000)
        end = start + length
        if draw < 0.002:
            start = 0
        elif draw < 0.004:
            end = 0
        elif draw < 0.006:
            start, end = end, start
        encoded = b"".join((
            b"\x0a\x10", trace_id, b"\x12\x08", span_id, field(3, state.encode()) if state else b"",
            b"\x22\x08" + parent if parent else b"", rng.choice(self._names), struct.pack("<BQBQ", 0x39, start, 0x41, end),
            rng.choice(self._attributes), rng.choice(EVENTS), b"\x7a\x02\x18\x02" if fails else rng.choice((b"\x7a\x00", b"\x7a\x02\x18\x01")),
            b"\x85\x01" + struct.pack("<I", flags) if flags else b""))
        return b"\x12" + varint(len(encoded)) + encoded

    def _request(self, spans):
        groups = {}
        for in_resource, in_scope, encoded in spans:
            groups.setdefault(in_resource, {}).setdefault(in_scope, []).append(encoded)
        return b"".join(
            field(1, self._resources[number] + b"".join(
                field(2, self._scopes[scope] + b"".join(group)) for scope, group in scopes.items()))
            for number, scopes in groups.items())

    def text(self, trace_id):
        """The trace for a reader, part by part."""
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service
        parts = []
        for body in self.requests:
            if trace_id not in body:
                continue
            request = service.ExportTraceServiceRequest.FromString(body)
            for each in request.resource_spans:
                for scope in each.scope_spans:
                    for span in [span for span in scope.spans if span.trace_id != trace_id]:
                        scope.spans.remove(span)
                for scope in [scope for scope in each.scope_spans if not scope.spans]:
                    each.scope_spans.remove(scope)
            for each in [each for each in request.resource_spans if not each.scope_spans]:
                request.resource_spans.remove(each)
            parts.append(str(request))
        return "-- next request --\n".join(parts)


def small_span(trace_id, span_id, parent=b"", fails=False):
    encoded = (b"\x0a\x10" + trace_id + b"\x12\x08" + span_id + (b"\x22\x08" + parent if parent else b"") +
               field(5, b"operation") + struct.pack("<BQBQ", 0x39, BASE, 0x41, BASE + 1_000_000) +
               (b"\x7a\x02\x18\x02" if fails else b""))
    return field(2, encoded)


def small_request(spans):
    return field(1, field(1, attributes(1, [("service.name", "shop")])) + field(2, b"".join(spans)))


class WholeTraces:
    """Small ones, each whole in one request and in one resource. `spans`: in the order in which they are sent."""

    def __init__(self, seed, count, traces_a_request):
        rng = random.Random(seed)
        self.spans, self.requests = {}, []
        for _ in range(count // traces_a_request):
            spans = []
            for _ in range(traces_a_request):
                trace_id = rng.randbytes(16)
                ids = self.spans[trace_id] = [rng.randbytes(8) for _ in range(rng.randint(1, 4))]
                failing = rng.choice(ids) if rng.random() < 0.3 else b""
                spans += [small_span(trace_id, each, b"" if each == ids[0] else ids[0], each == failing) for each in ids]
            self.requests.append(small_request(spans))

    def text(self, trace_id):
        return f"trace {trace_id.hex()} of {len(self.spans[trace_id])} spans"


class RootedTraces(WholeTraces):
    """In two requests: of each trace two spans and one more. One of them is the root and one may fail, in all ways."""

    def __init__(self, seed, count):
        super().__init__(seed, 0, 1)
        rng = random.Random(seed)
        parts = [], []
        for number in range(count):
            trace_id = rng.randbytes(16)
            ids = self.spans[trace_id] = [rng.randbytes(8) for _ in range(3)]
            root, failing = number % 4, number // 4 % 4  # 3: none
            for place, each in enumerate(ids):
                parts[place // 2].append(small_span(trace_id, each, b"" if place == root else b"\1" * 8, place == failing))
        self.requests = [small_request(part) for part in parts]
