#!/usr/bin/env bash
# One would guess that get_parameter(name, decrypt=True) of Powertools for Python gives the decrypted value, also where
# another part of the function has read the same parameter without decrypt a moment ago: the two ask for different
# things, as two transforms do, which are kept apart.
# The cache goes by the name and the transform. For as long as the entry lives (5 s, or the max_age of whoever came
# first) the caller that wants plain text gets the ciphertext, without an error, and the other way round. Likewise
# get_parameters(path, recursive=False) answers what recursive=True asks for.
# Seen on 2026-11-30 with aws-lambda-powertools 3.37.0, moto 5.2.5, boto3 1.44.8 and Python 3.11. moto's ciphertext is
# a text with the name of the key in front.
# For a password that is read by two modules: which value they get depends on who asks first, and a test of one alone
# passes. Use one provider for each way of reading. A cache has to have all that changes the answer in its key.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q aws-lambda-powertools==3.37.0 'moto[ssm]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from aws_lambda_powertools.utilities.parameters import SSMProvider
from moto import mock_aws

with mock_aws():
    client = boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    client.put_parameter(Name="/shop/password", Value="plain", Type="SecureString")
    client.put_parameter(Name="/shop/db/host", Value="h", Type="String")

    def read(provider, decrypt):
        value = provider.get("/shop/password", decrypt=decrypt, max_age=600)
        return "plain" if value == "plain" else "ciphertext"

    for order in [(True,), (False,), (False, True), (True, False)]:
        provider = SSMProvider(boto3_client=client)
        print("decrypt", ", then ".join(f"{decrypt}: {read(provider, decrypt)}" for decrypt in order))
    for order in [(True,), (False, True)]:
        provider = SSMProvider(boto3_client=client)
        for recursive in order:
            found = provider.get_multiple("/shop", recursive=recursive, max_age=600)
            print("recursive", recursive, "of", order, sorted(found))
PY
cat > "$dir/expected" <<'OUT'
decrypt True: plain
decrypt False: ciphertext
decrypt False: ciphertext, then True: ciphertext
decrypt True: plain, then False: plain
recursive True of (True,) ['db/host', 'password']
recursive False of (False, True) ['password']
recursive True of (False, True) ['password']
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the cache of parameters has another key now"; exit 1; }
echo "as recorded"
