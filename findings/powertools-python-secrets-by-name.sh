#!/usr/bin/env bash
# One would guess that get_secrets_by_name(["db"]) of Powertools for Python returns the secret db, or
# nothing else: the names are given one by one, and get_parameters_by_name does just that.
# It passes the names to a filter of Secrets Manager that matches the beginning of a name, and returns all
# that comes back: db-old and db2 too. Once they are in its cache, the same call returns db alone.
# Seen on 2026-11-28 with aws-lambda-powertools 3.37.0, moto 5.2.5 and boto3 1.44.8 on Python 3.11. That the
# filter goes by the beginning is also what AWS's documentation has (not tried on AWS).
# For code that walks over the result (a login to each, a line in a log): it depends on what else is in the
# account, and on what was called before. Take the names that were asked for, and no others.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0 'moto[secretsmanager]==5.2.5' \
  boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import os

os.environ |= {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-west-1"}
import boto3
from aws_lambda_powertools.utilities.parameters import get_secrets_by_name
from moto import mock_aws

with mock_aws():
    client = boto3.client("secretsmanager")
    for name in ["db", "db-old", "db2", "mail"]:
        client.create_secret(Name=name, SecretString=f"secret of {name}")
    for attempt in ["first", "second"]:
        print(attempt, *sorted(get_secrets_by_name(["db"])))
PY
cat > "$dir/expected" <<'OUT'
first db db-old db2
second db
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: Powertools returns other secrets now"; exit 1; }
echo "as recorded"
