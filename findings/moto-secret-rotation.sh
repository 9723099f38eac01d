#!/usr/bin/env bash
# One would guess that the last step of a rotation works in moto as in Secrets Manager: UpdateSecretVersionStage moves
# AWSCURRENT to the new version, and from then on GetSecretValue, which without a stage means AWSCURRENT, returns it.
# The labels are moved, and DescribeSecret shows AWSCURRENT at the new version. GetSecretValue without a stage goes by
# another note of what is current, which is not touched, and returns the old value; with the stage AWSCURRENT, or
# the id of the version, it returns the new one.
# Seen on 2026-11-30 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests of a rotation on moto: the usual read, by name alone, never sees the rotated value, so that a right
# rotation looks broken, and a cache that is never refreshed looks right. Read with the stage in such tests.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[secretsmanager]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import boto3
from moto import mock_aws

OLD, NEW = "o" * 32, "n" * 32
with mock_aws():
    client = boto3.client("secretsmanager", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")

    def show(step):
        stages = client.describe_secret(SecretId="s")["VersionIdsToStages"]
        current = [version[0] for version, labels in stages.items() if "AWSCURRENT" in labels]
        print(f"{step}: AWSCURRENT is at {current}, by name {client.get_secret_value(SecretId='s')['SecretString']}, "
              f"by stage {client.get_secret_value(SecretId='s', VersionStage='AWSCURRENT')['SecretString']}, "
              f"by id {client.get_secret_value(SecretId='s', VersionId=NEW)['SecretString']}")

    client.create_secret(Name="s", SecretString="old", ClientRequestToken=OLD)
    client.put_secret_value(SecretId="s", SecretString="new", ClientRequestToken=NEW, VersionStages=["AWSPENDING"])
    show("pending")
    client.update_secret_version_stage(
        SecretId="s", VersionStage="AWSCURRENT", MoveToVersionId=NEW, RemoveFromVersionId=OLD)
    show("moved")
    client.update_secret_version_stage(SecretId="s", VersionStage="AWSPENDING", RemoveFromVersionId=NEW)
    show("finished")
PY
cat > "$dir/expected" <<'OUT'
pending: AWSCURRENT is at ['o'], by name old, by stage old, by id new
moved: AWSCURRENT is at ['n'], by name old, by stage new, by id new
finished: AWSCURRENT is at ['n'], by name old, by stage new, by id new
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto reads a rotated secret differently now"; exit 1; }
echo "as recorded"
