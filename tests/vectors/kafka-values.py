"""Writes kafka-values.json: what real producers' libraries make of keys and values.

    pip install "confluent-kafka[avro,json,protobuf,schemaregistry]==2.16.1" fastavro==1.13.1 \
        aws-glue-schema-registry==1.1.3 grpcio-tools==1.85.1 protobuf==7.36.2
    python kafka-values.py > kafka-values.json
"""

import base64
import importlib
import io
import json
import pathlib
import sys
import tempfile
import uuid
import warnings
from decimal import Decimal

warnings.filterwarnings("ignore")

import fastavro
from aws_schema_registry import codec
from confluent_kafka.schema_registry import (
    Schema, SchemaRegistryClient, header_schema_id_serializer,
)
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from grpc_tools import protoc

GLUE = uuid.UUID("b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63")
PROTO = """
syntax = "proto3";
package shop;
message Order {
  string id = 1;
  int64 cents = 2;
  repeated string tags = 3;
  message Line { string name = 1; message Price { int32 cents = 1; } }
}
message Customer { string name = 1; }
"""
ORDER = {
    "type": "record", "name": "Order", "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "cents", "type": "int"},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
# A field in the middle that the reader does not know, and a wider integer.
WIDER = {
    "type": "record", "name": "Order", "namespace": "shop",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "channel", "type": {"type": "enum", "name": "Channel", "symbols": ["WEB", "SHOP"]}},
        {"name": "cents", "type": "int"},
        {"name": "tags", "type": {"type": "array", "items": "string"}},
        {"name": "note", "type": ["null", "string"], "default": None},
    ],
}
# Without a field that the reader has a default for.
NARROWER = {
    "type": "record", "name": "Order", "namespace": "shop",
    "fields": [{"name": "id", "type": "string"}, {"name": "cents", "type": "int"}],
}
EVERYTHING = {
    "type": "record", "name": "Everything", "namespace": "shop",
    "fields": [
        {"name": "flag", "type": "boolean"},
        {"name": "small", "type": "int"},
        {"name": "large", "type": "long"},
        {"name": "single", "type": "float"},
        {"name": "double", "type": "double"},
        {"name": "bytes", "type": "bytes"},
        {"name": "text", "type": "string"},
        {"name": "fixed", "type": {"type": "fixed", "name": "Four", "size": 4}},
        {"name": "other", "type": "Four"},
        {"name": "list", "type": {"type": "array", "items": "long"}},
        {"name": "map", "type": {"type": "map", "values": "string"}},
        {"name": "choice", "type": ["null", "long", "string"]},
        {"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2}},
        {"name": "day", "type": {"type": "int", "logicalType": "date"}},
        {"name": "at", "type": {"type": "long", "logicalType": "timestamp-millis"}},
        {"name": "id", "type": {"type": "string", "logicalType": "uuid"}},
        {"name": "tree", "type": {
            "type": "record", "name": "Tree",
            "fields": [{"name": "name", "type": "string"},
                       {"name": "parts", "type": {"type": "array", "items": "Tree"}}]}},
    ],
}
VALUE = {
    "flag": True, "small": -7, "large": 2**62, "single": 0.5, "double": -0.25, "bytes": b"\x00\xff",
    "text": "ä€😀", "fixed": b"abcd", "other": b"\x01\x02\x03\x04", "list": list(range(-3, 100)),
    "map": {"a": "1", "b": ""}, "choice": "s", "amount": Decimal("-12.34"), "day": 20_000,
    "at": 1_767_225_600_123, "id": "b7b4a7f0-9c96-4e4a-a687-fb5de9ef0c63",
    "tree": {"name": "root", "parts": [{"name": "leaf", "parts": []}]},
}

registry = SchemaRegistryClient.new_client({"url": "mock://vectors"})
cases = []


def text(data):
    return base64.b64encode(data).decode()


def add(name, format, data, schema=None, expected=None, **more):
    case = {"name": name, "format": format, "data": text(data)}
    if schema is not None:
        case["schema"] = json.dumps(schema) if isinstance(schema, dict) else schema
    if expected is not None:
        case["expected"] = expected
    cases.append(case | more)


def confluent(name, format, serializer, value, field=MessageField.VALUE, **more):
    headers = []
    data = serializer(value, SerializationContext("orders", field, headers))
    if headers:
        more["headers"] = {key: text(value) for key, value in headers}
    elif data[:1] == b"\x00":
        more["id"] = int.from_bytes(data[1:5], "big")
    add(name, format, data, **more)


def avro(schema, value):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), value)
    return out.getvalue()


order = {"id": "o-1", "cents": 900, "note": None}
noted = order | {"note": "gift"}
for name, schema, value in [
    ("the reader's schema", ORDER, noted),
    ("a field in the middle", WIDER, order | {"channel": "SHOP", "tags": ["a", "b"]}),
    ("a field less", NARROWER, {"id": "o-1", "cents": 900}),
]:
    expected = {"id": "o-1", "cents": 900, "note": value.get("note")}
    subject = {"auto.register.schemas": True, "subject.name.strategy": lambda ctx, record: name}
    confluent(f"Confluent: {name}", "avro", AvroSerializer(registry, json.dumps(schema), conf=subject),
              value, schema=schema, expected=expected)
    add(f"Glue: {name}", "avro", codec.encode(avro(schema, value), GLUE), schema=schema,
        expected=expected, id=str(GLUE))
    add(f"Glue with zlib: {name}", "avro", codec.encode(avro(schema, value), GLUE, compression=True),
        schema=schema, expected=expected, id=str(GLUE))
    add(f"without a header: {name}", "avro", avro(schema, value), schema=schema, expected=expected)
header = {"auto.register.schemas": True, "schema.id.serializer": header_schema_id_serializer}
confluent("Confluent in a header", "avro", AvroSerializer(registry, json.dumps(ORDER), conf=header), noted,
          schema=ORDER, expected=noted)
confluent("Confluent in a header of the key", "avro",
          AvroSerializer(registry, json.dumps(ORDER), conf=header), noted, MessageField.KEY,
          schema=ORDER, expected=noted)
add("every type", "avro", avro(EVERYTHING, VALUE), schema=EVERYTHING)

with tempfile.TemporaryDirectory() as folder:
    (pathlib.Path(folder) / "shop.proto").write_text(PROTO)
    assert protoc.main(["protoc", f"-I{folder}", f"--python_out={folder}", f"{folder}/shop.proto"]) == 0
    sys.path.insert(0, folder)
    shop = importlib.import_module("shop_pb2")
message = shop.Order(id="o-1", cents=900, tags=["a", "b"])
for name, value, index in [
    ("the first message", message, [0]),
    ("the second message", shop.Customer(name="Ada"), [1]),
    ("a nested message", shop.Order.Line(name="Ada"), [0, 0]),
    ("a message nested twice", shop.Order.Line.Price(cents=-1), [0, 0, 0]),
    ("an empty message", shop.Order(), [0]),
]:
    conf = {"auto.register.schemas": True, "use.deprecated.format": False,
            "subject.name.strategy": lambda ctx, record: f"{name} proto"}
    confluent(f"Confluent: {name}", "protobuf", ProtobufSerializer(type(value), registry, conf), value,
              index=index)
    add(f"without a header: {name}", "protobuf", value.SerializeToString())
confluent("Confluent in a header", "protobuf", ProtobufSerializer(
    shop.Order, registry, {"auto.register.schemas": True, "use.deprecated.format": False,
                           "schema.id.serializer": header_schema_id_serializer}), message, index=[0])

schema = {"type": "object", "title": "Order", "properties": {"id": {"type": "string"}}}
confluent("Confluent", "json", JSONSerializer(json.dumps(schema), registry), {"id": "o-1"},
          expected={"id": "o-1"})
add("Glue with zlib", "json", codec.encode(b'{"id": "o-1"}', GLUE, compression=True),
    expected={"id": "o-1"}, id=str(GLUE))

source = "confluent-kafka 2.16.1, aws-glue-schema-registry 1.1.3, fastavro 1.13.1, protobuf 7.36.2 (PyPI)"
print(json.dumps({"source": source, "cases": cases}, indent=1, ensure_ascii=False))
