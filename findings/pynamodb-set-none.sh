#!/usr/bin/env bash
# One would guess that PynamoDB has one way to store None in an attribute with null=True: save() leaves the attribute
# out, so update(actions=[Order.note.set(None)]) takes it out as well.
# The update stores DynamoDB's NULL. Both are None when the order is loaded, but the attribute exists: a condition or a
# filter note.does_not_exist() holds for the order that was saved and not for the one that was updated.
# Seen on 2026-11-30 with pynamodb 6.1.0, moto 5.2.5 and Python 3.11.
# For a lock or a flag that is cleared by an update and taken under the condition that it is absent: it can never be
# taken again, although it prints as None. Clear it with note.remove().
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q pynamodb==6.1.0 'moto[dynamodb]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import os

import boto3
from moto import mock_aws
from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="b")


class Order(Model):
    class Meta:
        table_name = "orders"
        region = "eu-west-1"

    id = UnicodeAttribute(hash_key=True)
    note = UnicodeAttribute(null=True)


def save(order):
    order.note = None
    order.save()


with mock_aws():
    Order.create_table(billing_mode="PAY_PER_REQUEST")
    client = boto3.client("dynamodb", region_name="eu-west-1")
    for how, clear in {
        "save": save,
        "set(None)": lambda order: order.update(actions=[Order.note.set(None)]),
        "remove()": lambda order: order.update(actions=[Order.note.remove()]),
    }.items():
        order = Order("1", note="fragile")
        order.save()
        clear(order)
        stored = client.get_item(TableName="orders", Key={"id": {"S": "1"}})["Item"].get("note", "absent")
        print(how, "loaded:", Order.get("1").note, "stored:", stored,
              "does_not_exist:", len(list(Order.scan(Order.note.does_not_exist()))))
PY
cat > "$dir/expected" <<'OUT'
save loaded: None stored: absent does_not_exist: 1
set(None) loaded: None stored: {'NULL': True} does_not_exist: 0
remove() loaded: None stored: absent does_not_exist: 1
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: PynamoDB stores None differently now"; exit 1; }
echo "as recorded"
