"""Messages of Jaeger's agent in both of Thrift's protocols, as its clients write them. Standard library alone."""
import struct

CALL, REPLY, EXCEPTION, ONEWAY = 1, 2, 3, 4


class Binary:
    """Numbers are big-endian and of fixed size."""
    I32, I64, STRING, STRUCT, LIST = 8, 10, 11, 12, 15

    @staticmethod
    def message(name, kind=ONEWAY, arguments=b"\0"):
        name = name.encode()
        return struct.pack(">Ii", 0x80010000 | kind, len(name)) + name + struct.pack(">i", 1) + arguments

    @staticmethod
    def struct(*fields):
        """Of (id, type, bytes), ids upwards."""
        return b"".join(struct.pack(">bh", kind, number) + value for number, kind, value in fields) + b"\0"

    @staticmethod
    def list(structs):
        return struct.pack(">bi", Binary.STRUCT, len(structs)) + b"".join(structs)

    @staticmethod
    def string(text):
        return struct.pack(">i", len(text.encode())) + text.encode()

    @staticmethod
    def i32(number):
        return struct.pack(">i", number)

    @staticmethod
    def i64(number):
        return struct.pack(">q", number)


class Compact:
    """Numbers are zigzag varints, a field's id is the distance from the one before."""
    I32, I64, STRING, LIST, STRUCT = 5, 6, 8, 9, 12

    @staticmethod
    def varint(number):
        out = bytearray()
        while number > 0x7F:
            out.append(number & 0x7F | 0x80)
            number >>= 7
        return bytes(out) + bytes([number])

    @staticmethod
    def message(name, kind=ONEWAY, arguments=b"\0"):
        return bytes([0x82, kind << 5 & 0xFF | 1, 1]) + Compact.string(name) + arguments

    @staticmethod
    def struct(*fields):
        """Of (id, type, bytes), ids upwards and at most 15 apart."""
        out, last = b"", 0
        for number, kind, value in fields:
            out += bytes([number - last << 4 | kind]) + value
            last = number
        return out + b"\0"

    @staticmethod
    def list(structs):
        head = bytes([len(structs) << 4 | Compact.STRUCT]) if len(structs) < 15 else \
            bytes([0xF0 | Compact.STRUCT]) + Compact.varint(len(structs))
        return head + b"".join(structs)

    @staticmethod
    def string(text):
        return Compact.varint(len(text.encode())) + text.encode()

    @staticmethod
    def i32(number):
        return Compact.varint(number << 1 ^ number >> 31)

    i64 = i32


def batch(protocol, spans, service="shop"):
    """The arguments of emitBatch, with so many spans."""
    p = protocol
    process = p.struct((1, p.STRING, p.string(service)))
    one = [p.struct((1, p.I64, p.i64(number)), (2, p.I64, p.i64(1)), (3, p.I64, p.i64(number)), (4, p.I64, p.i64(0)),
                    (5, p.STRING, p.string(f"span {number}")), (7, p.I32, p.i32(1)),
                    (8, p.I64, p.i64(1_700_000_000_000_000)), (9, p.I64, p.i64(1500)))
           for number in range(1, spans + 1)]
    return p.struct((1, p.STRUCT, p.struct((1, p.STRUCT, process), (2, p.LIST, p.list(one)))))


def zipkin_batch(protocol):
    """The arguments of emitZipkinBatch, with one span."""
    p = protocol
    span = p.struct((1, p.I64, p.i64(1)), (3, p.STRING, p.string("get")), (4, p.I64, p.i64(2)))
    return p.struct((1, p.LIST, p.list([span])))
