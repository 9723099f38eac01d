#!/usr/bin/env bash
# One would guess that AWS's cache for Secrets Manager raises what the service raises: a staging label
# that the secret does not have is a ResourceNotFoundException, and so it is for a name that is unknown.
# For the label, the cache returns None. So does it for AWSPREVIOUS, the label to fall back to during a
# rotation, if the cache has met the secret before it was rotated: it goes by the labels of its last
# refresh, while the service, and a new cache, have the value.
# Seen on 2026-11-28 with aws-secretsmanager-caching 1.2.0, moto 5.2.5 and boto3 1.44.8 on Python 3.11.
# For a function that retries a login with the previous password: None goes into the connection as a
# missing password. An API for secrets must have "no such version" as an error, not as a value.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-secretsmanager-caching==1.2.0 'moto[secretsmanager]==5.2.5' \
  boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from aws_secretsmanager_caching import SecretCache
from moto import mock_aws


def attempt(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__


with mock_aws():
    client = boto3.client(
        "secretsmanager", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    early = SecretCache(client=client)

    def show(name, stage):
        print(
            name, stage,
            attempt(lambda: client.get_secret_value(SecretId=name, VersionStage=stage)["SecretString"]),
            attempt(lambda: early.get_secret_string(name, version_stage=stage)),
            attempt(lambda: SecretCache(client=client).get_secret_string(name, version_stage=stage)))

    client.create_secret(Name="db", SecretString="one")
    show("db", "AWSCURRENT")
    show("db", "BLUE")
    show("unknown", "AWSCURRENT")
    client.put_secret_value(SecretId="db", SecretString="two")
    show("db", "AWSPREVIOUS")
PY
cat > "$dir/expected" <<'OUT'
db AWSCURRENT one one one
db BLUE ResourceNotFoundException None None
unknown AWSCURRENT ResourceNotFoundException ResourceNotFoundException ResourceNotFoundException
db AWSPREVIOUS one None one
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the cache answers differently for labels that it does not know"; exit 1; }
echo "as recorded"
