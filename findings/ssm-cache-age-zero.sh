#!/usr/bin/env bash
# One would guess that SSMParameter("name", max_age=0) of the package ssm-cache keeps nothing: with a
# max_age of 1 a value is at most one second old, so with 0 it is read each time.
# Zero is taken for "no max_age". The value is read once and kept for the life of the process, which for
# a function may be hours. refresh() still reads it anew.
# Seen on 2026-11-28 with ssm-cache 3.0.0, moto 5.2.5 and boto3 1.44.8 on Python 3.11.
# For a function that must see a rotated password or an emergency switch: the one setting that looks
# the safest is the one that never sees it. A cache of one's own must tell zero from absent.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q ssm-cache==3.0.0 'moto[ssm]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import time

import boto3
from moto import mock_aws
from ssm_cache import SSMParameter

with mock_aws():
    client = boto3.client("ssm", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    SSMParameter.set_ssm_client(client)
    for max_age in [1, 0]:
        client.put_parameter(Name="switch", Value="old", Type="String", Overwrite=True)
        parameter = SSMParameter("switch", max_age=max_age)
        seen = [parameter.value]
        client.put_parameter(Name="switch", Value="new", Type="String", Overwrite=True)
        time.sleep(1.2)
        seen.append(parameter.value)
        parameter.refresh()
        seen.append(parameter.value)
        print("max_age", max_age, *seen)
PY
cat > "$dir/expected" <<'OUT'
max_age 1 old new new
max_age 0 old old new
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: ssm-cache treats a max_age of zero differently now"; exit 1; }
echo "as recorded"
