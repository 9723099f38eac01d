"""Writes avro-resolution.json: what other libraries make of data whose reader has another schema.

    pip install avro==1.12.2 fastavro==1.13.1
    python avro-resolution.py > avro-resolution.json
"""

import base64
import datetime
import decimal
import io
import json
import uuid

import avro.io
import avro.schema
import fastavro

REFUSED = object()
FULL_NAMES = "names match without their namespaces, and avro compares those with them"
NO_ALIASES = "aliases are optional, and avro has none"
DEEP = "the promotion is in the specification, and avro does not have it inside of other types"
cases = []


def record(name, *fields, **more):
    fields = [{"name": field[0], "type": field[1]} | (field[2] if field[2:] else {}) for field in fields]
    return {"type": "record", "name": name, "fields": fields} | more


def logical(type, name, **more):
    return {"type": type, "logicalType": name} | more


def amount(precision, scale):
    return logical("bytes", "decimal", precision=precision, scale=scale)


def default(value):
    return {"default": value}


def plain(value):
    """The value as JSON. Bytes are strings of the code points up to 255."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, (decimal.Decimal, uuid.UUID, datetime.date, datetime.time)):
        return str(value)
    if isinstance(value, dict):
        return {key: plain(value) for key, value in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(value) for value in value]
    return value


def by_fastavro(writer, reader, data):
    return fastavro.schemaless_reader(io.BytesIO(data), writer, reader)


def by_fastavro_with_names(writer, reader, data):
    return fastavro.schemaless_reader(io.BytesIO(data), writer, reader, return_record_name=True)


def by_avro(writer, reader, data):
    writer, reader = (avro.schema.parse(json.dumps(schema)) for schema in (writer, reader))
    return avro.io.DatumReader(writer, reader).read(avro.io.BinaryDecoder(io.BytesIO(data)))


def outcome(library, writer, reader, data):
    try:
        return {"value": plain(library(writer, reader, data))}
    except Exception as error:
        return {"refused": type(error).__name__}


def add(name, writer, reader, value, expected, seen=None, why=None, is_union=False):
    """`expected` is what the specification has. `seen` is the same in the types of the libraries.

    A case in which a library has another outcome needs a reason.
    """
    out = io.BytesIO()
    fastavro.schemaless_writer(out, writer, value)
    data = out.getvalue()
    case = {"name": name, "writer": writer, "reader": reader, "data": base64.b64encode(data).decode()}
    if expected is not REFUSED:
        case["expected"] = plain(expected)
    others = {}
    # avro does not return the branch.
    libraries = [("fastavro", by_fastavro_with_names)] if is_union else [("fastavro", by_fastavro), ("avro", by_avro)]
    for library, read in libraries:
        found = outcome(read, writer, reader, data)
        same = "refused" in found if expected is REFUSED else (
            found == {"value": plain(expected if seen is None else seen)})
        if not same:
            others[library] = found
    if bool(others) != bool(why):
        raise SystemExit(f"{name}: {others} {why}")
    if others:
        case |= {"others": others, "why": why}
    cases.append(case)


def fits(name, type, reader, value, expected, seen=None, why=None):
    """A case of a field `value`."""
    add(name, record("T", ("value", type)), record("T", ("value", reader)), {"value": value},
        {"value": expected} if expected is not REFUSED else REFUSED,
        {"value": seen} if seen is not None else None, why)


order = record("Order", ("id", "string"), ("cents", "long"))
values = {"id": "o-1", "cents": 900}
LATER = record("Order", ("cents", "long"), ("id", "string"))
add("fields in another order", order, LATER, values, values)
add("a field of the writer alone", order, record("Order", ("cents", "long")), values, {"cents": 900})
add("a field in the middle of the writer alone",
    record("Order", ("id", "string"), ("lines", {"type": "array", "items": record("Line", ("n", "int"))}),
           ("cents", "long")),
    order, values | {"lines": [{"n": 1}, {"n": 2}]}, values)
add("a field of the reader alone, with a default", order,
    record("Order", ("id", "string"), ("cents", "long"), ("tags", {"type": "array", "items": "string"}, default(["a"]))),
    values, values | {"tags": ["a"]})
add("a field of the reader alone, without a default", order,
    record("Order", ("id", "string"), ("cents", "long"), ("note", ["null", "string"])), values, REFUSED)
add("a record as a default", order,
    record("Order", ("id", "string"), ("to", record("To", ("city", "string"), ("zip", "int", default(7))), default({"city": "Bonn"}))),
    values, {"id": "o-1", "to": {"city": "Bonn", "zip": 7}},
    why="fastavro takes the JSON as it is")
add("a default of the first branch", order,
    record("Order", ("id", "string"), ("region", ["string", "null"], default("eu"))), values, {"id": "o-1", "region": "eu"})
add("a default of the second branch", order,
    record("Order", ("id", "string"), ("region", ["null", "string"], default("eu"))), values,
    {"id": "o-1", "region": "eu"},
    why="since version 1.12 of the specification, a default fits any branch")
add("a default of an enum", order,
    record("Order", ("id", "string"), ("size", {"type": "enum", "name": "Size", "symbols": ["S", "L"]}, default("L"))),
    values, {"id": "o-1", "size": "L"})
add("a default of bytes", order, record("Order", ("id", "string"), ("mark", "bytes", default("\u00ff"))), values,
    {"id": "o-1", "mark": "\u00ff"},
    why="a code point of a default of bytes is one byte, and avro writes it as UTF-8")
add("a default for a number with another type", order,
    record("Order", ("id", "string"), ("rate", "double", default(1))), values, {"id": "o-1", "rate": 1.0},
    why="a default of a double is any number, and avro has it with a point alone")
add("a default of a map", order,
    record("Order", ("id", "string"), ("m", {"type": "map", "values": "int"}, default({"a": 1}))), values,
    {"id": "o-1", "m": {"a": 1}})

add("another record", record("Refund", ("id", "string"), ("cents", "long")), order, values, REFUSED)
add("another namespace", record("Order", ("id", "string"), ("cents", "long"), namespace="com.shop"), order, values, values,
    why=FULL_NAMES)
add("a record under an alias", record("Purchase", ("id", "string"), ("cents", "long")), order | {"aliases": ["Purchase"]},
    values, values, why=NO_ALIASES)
add("a field under an alias", order, record("Order", ("id", "string"), ("amount", "long", {"aliases": ["cents"]})), values,
    {"id": "o-1", "amount": 900},
    why=NO_ALIASES)
add("a field under an alias whose name is another field's", order,
    record("Order", ("cents", "long"), ("key", "string", {"aliases": ["cents"], "default": "k"})), values,
    {"cents": 900, "key": "k"})
add("an inner record of another name", record("T", ("o", record("Refund", ("id", "string")))),
    record("T", ("o", record("Charge", ("id", "string")))), {"o": {"id": "a"}}, REFUSED)
add("a field of another type", record("T", ("value", "string")), record("T", ("value", "int")), {"value": "1"}, REFUSED)

for small, large, value, back in [
    ("int", "long", 7, 7), ("int", "float", 7, 7.0), ("int", "double", 7, 7.0), ("long", "float", 7, 7.0),
    ("long", "double", 7, 7.0), ("float", "double", 0.5, 0.5),
]:
    fits(f"{small} as {large}", small, large, value, back)
    fits(f"{large} as {small}", large, small, back, REFUSED)
fits("string as bytes", "string", "bytes", "ä", "ä".encode(),
     why="the promotion is in the specification, and avro does not have it")
fits("bytes as string", "bytes", "string", "ä".encode(), "ä",
     why="the promotion is in the specification, and avro does not have it")
fits("int as string", "int", "string", 7, REFUSED)
fits("boolean as int", "boolean", "int", True, REFUSED)
fits("null as string", "null", "string", None, REFUSED)
fits("an array of ints as longs", {"type": "array", "items": "int"}, {"type": "array", "items": "long"}, [1, 2], [1, 2],
     why=DEEP)
fits("an array of strings as ints", {"type": "array", "items": "string"}, {"type": "array", "items": "int"}, ["a"], REFUSED)
fits("a map of ints as doubles", {"type": "map", "values": "int"}, {"type": "map", "values": "double"}, {"a": 1}, {"a": 1.0}, why=DEEP)
fits("a map as an array", {"type": "map", "values": "int"}, {"type": "array", "items": "int"}, {"a": 1}, REFUSED)


def fixed(name, size, **more):
    return {"type": "fixed", "name": name, "size": size} | more


def enum(name, *symbols, **more):
    return {"type": "enum", "name": name, "symbols": list(symbols)} | more


fits("the same fixed", fixed("F", 2), fixed("F", 2), b"\x00\xff", b"\x00\xff")
fits("a fixed of another size", fixed("F", 2), fixed("F", 3), b"\x00\xff", REFUSED)
fits("a fixed of another name", fixed("F", 2), fixed("G", 2), b"\x00\xff", REFUSED)
fits("a fixed under an alias", fixed("F", 2), fixed("G", 2, aliases=["F"]), b"\x00\xff", b"\x00\xff",
     why=NO_ALIASES)
fits("symbols in another order", enum("E", "A", "B", "C"), enum("E", "C", "B"), "C", "C")
fits("a symbol that the reader lacks", enum("E", "A", "B"), enum("E", "B"), "A", REFUSED)
fits("a symbol that the reader lacks, with a default", enum("E", "A", "B"), enum("E", "B", "X", default="X"), "A", "X",
     why="avro has no defaults of enums")
fits("an enum of another name", enum("E", "A"), enum("F", "A"), "A", REFUSED)
fits("an enum as a string", enum("E", "A"), "string", "A", REFUSED)

fits("a type as an optional one", "string", ["null", "string"], "a", "a")
fits("an optional type as itself", ["null", "string"], "string", "a", "a",
     why="avro refuses it, since null would be none of the reader's")
fits("null where the reader has none", ["null", "string"], "string", None, REFUSED)
fits("a branch that the reader lacks, which is not used", ["int", "string"], ["null", "string"], "a", "a")
fits("a branch that the reader lacks", ["int", "string"], ["null", "string"], 7, REFUSED)
fits("branches in another order", ["null", "string"], ["string", "null"], "a", "a")
fits("a promotion into a branch", "int", ["null", "string", "double"], 7, 7.0)
fits("an optional int as an optional long", ["null", "int"], ["null", "long"], 7, 7)
fits("the same type before a promotion", "int", ["double", "int"], 7, 7)
fits("null in a union of another order", ["null", "string"], ["string", "null"], None, None)
fits("a union in an array", {"type": "array", "items": ["null", "int"]}, {"type": "array", "items": ["long", "null"]},
     [1, None], [1, None])

fits("a decimal", amount(9, 2), amount(9, 2), decimal.Decimal("-12.34"), b"\xfb\x2e", decimal.Decimal("-12.34"))
fits("a decimal with more precision", amount(9, 2), amount(12, 2), decimal.Decimal("1.00"), b"\x64",
     decimal.Decimal("1.00"))
fits("a decimal with less precision", amount(12, 2), amount(9, 2), decimal.Decimal("1.00"), REFUSED,
     why="decimals match by precision and scale in the specification, and the others return that of the writer")
fits("a decimal with another scale", amount(9, 4), amount(9, 2), decimal.Decimal("10.0000"), REFUSED,
     why="decimals match by precision and scale in the specification, and the others return that of the writer")
fits("a decimal as bytes", amount(9, 2), "bytes", decimal.Decimal("1.00"), b"\x64",
     why="the plain type was asked for, and the others return a decimal")
fits("bytes as a decimal", "bytes", amount(9, 2), b"\x64", REFUSED,
     why="an amount without a scale would be a guess")
fits("a string as a decimal", "string", amount(9, 2), "9.99", REFUSED,
     why="the digits of a string are no unscaled number")
fits("a decimal as a string", amount(9, 2), "string", decimal.Decimal("0.65"), REFUSED,
     why="an unscaled number is no string")
fits("a time in milliseconds", logical("long", "timestamp-millis"), logical("long", "timestamp-millis"),
     1_767_225_600_123, 1_767_225_600_123, "2026-01-01 00:00:00.123000+00:00")
for name, base in [("date", "int"), ("timestamp-millis", "long"), ("timestamp-micros", "long"), ("time-millis", "int"),
                   ("local-timestamp-millis", "long")]:
    fits(f"{name} as {base}", logical(base, name), base, 7, 7,
         why="the plain type was asked for, and the others return a time")
    fits(f"{base} as {name}", base, logical(base, name), 7, 7)
fits("timestamp-millis as timestamp-micros", logical("long", "timestamp-millis"), logical("long", "timestamp-micros"),
     7, REFUSED, why="a number would change its unit")
fits("timestamp-millis as local-timestamp-millis", logical("long", "timestamp-millis"),
     logical("long", "local-timestamp-millis"), 7, REFUSED, why="a time would change its zone")
fits("time-millis as time-micros", logical("int", "time-millis"), logical("long", "time-micros"), 7, REFUSED,
     why="a number would change its unit")
fits("int as timestamp-millis", "int", logical("long", "timestamp-millis"), 7, REFUSED,
     why="a number of another type has another unit as a rule")
ID = "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63"
fits("a uuid", logical("string", "uuid"), logical("string", "uuid"), ID, ID)
fits("a uuid as a string", logical("string", "uuid"), "string", ID, ID)
fits("a string as a uuid", "string", logical("string", "uuid"), ID, ID)
fits("an unknown logical type", logical("string", "colour"), "string", "red", "red")

tree = record("Tree", ("name", "string"), ("parts", {"type": "array", "items": "Tree"}))
wider = record("Tree", ("name", "string"), ("size", "int", default(1)), ("parts", {"type": "array", "items": "Tree"}))
leaf = {"name": "leaf", "parts": []}
add("a recursive record", tree, wider, {"name": "root", "parts": [leaf]},
    {"name": "root", "size": 1, "parts": [leaf | {"size": 1}]})
node = record("Node", ("value", "int"), ("next", ["null", "Node"]))
long = record("Node", ("value", "long"), ("next", ["null", "Node"]), namespace="b")
add("a list by a union", node, long, {"value": 1, "next": {"value": 2, "next": None}},
    {"value": 1, "next": {"value": 2, "next": None}}, why=FULL_NAMES)
shared = record("T", ("a", fixed("Four", 4)), ("b", "Four"), namespace="shop")
add("a type by its name", shared, record("T", ("b", fixed("Four", 4)), ("a", "Four"), namespace="other"),
    {"a": b"abcd", "b": b"efgh"}, {"a": b"abcd", "b": b"efgh"}, why=FULL_NAMES)
add("types by names in namespaces",
    record("T", ("a", record("In", ("n", "int"), namespace="x")), ("b", "x.In"), namespace="shop"),
    record("T", ("a", record("In", ("n", "long"))), ("b", "In")), {"a": {"n": 1}, "b": {"n": 2}},
    {"a": {"n": 1}, "b": {"n": 2}}, why=FULL_NAMES)

# Unions of records, by the name of the branch.
charge = record("Charge", ("id", "string"), ("cents", "long"))
refund = record("Refund", ("id", "string"), ("cents", "long"), ("reason", "string", default("none")))
dispute = record("Dispute", ("id", "string"), ("cents", "long"))
paid = {"id": "o-1", "cents": 900}
returned = paid | {"reason": "damaged"}
three = [charge, dispute, refund]


def branch(name, writer, reader, value, expected, why=None):
    written = value if isinstance(writer, list) else value[1]
    add(name, record("T", ("value", writer)), record("T", ("value", reader)), {"value": written},
        REFUSED if expected is REFUSED else {"value": {expected: value[1]}},
        None if expected is REFUSED else {"value": [expected, value[1]]}, why, is_union=True)


branch("a record of the union at both ends", three, three, ("Refund", returned), "Refund")
branch("a record that is first in the union at both ends", three, three, ("Charge", paid), "Charge")
branch("records alike", three, three, ("Dispute", paid), "Dispute")
branch("a union with a record more", [refund, charge], three, ("Refund", returned), "Refund")
branch("a record as a branch", refund, three, ("Refund", returned), "Refund",
       why="fastavro names no branch where the writer has no union")
branch("a branch whose record the reader lacks", [record("Fee", *[(f["name"], f["type"]) for f in charge["fields"]]), charge],
       three, ("Fee", paid), REFUSED)
branch("a branch under an alias", [record("Claim", ("id", "string"), ("cents", "long")), charge],
       [charge, dispute | {"aliases": ["Claim"]}, refund], ("Claim", paid), "Dispute")
branch("an alias before a name in another namespace",
       [record("Charge", ("id", "string"), ("cents", "long"), namespace="w"), "null"],
       [charge, dispute | {"aliases": ["w.Charge"]}, refund], ("w.Charge", paid), "Dispute",
       why="aliases rename the writer's types before names are compared, and fastavro takes the first name")

print(json.dumps({"source": "fastavro 1.13.1, avro 1.12.2 (PyPI)", "cases": cases}, indent=1, ensure_ascii=False))
