#!/usr/bin/env bash
# One would guess that an upload in parts makes one notification, when it is completed: the object does not
# exist before, and S3 has s3:ObjectCreated:CompleteMultipartUpload for it.
# moto sends two then, for one object and one version: ObjectCreated:CompleteMultipartUpload, and an
# ObjectCreated:Put that looks like that of an upload in one piece. The parts themselves make none.
# Seen on 2026-11-28 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For a function behind s3:ObjectCreated:*: on moto it runs twice for each large file. On AWS it does not, and
# a natural key that holds the name of the event does not make the two one: key such work by object and version.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[s3,sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
import json

import boto3
from moto import mock_aws

PART = b"x" * (5 * 1024 * 1024)

with mock_aws():
    access = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    s3, sqs = boto3.client("s3", **access), boto3.client("sqs", **access)
    url = sqs.create_queue(QueueName="objects")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    s3.create_bucket(Bucket="films")
    s3.put_bucket_notification_configuration(Bucket="films", NotificationConfiguration={
        "QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]})

    def notices():
        found = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                for record in json.loads(message["Body"]).get("Records", []):
                    found.append((record["eventName"], record["s3"]["object"]["key"], record["s3"]["object"]["size"]))
        return sorted(found)

    notices()
    upload = s3.create_multipart_upload(Bucket="films", Key="a")["UploadId"]
    parts = []
    for number, body in enumerate([PART, b"end"], start=1):
        reply = s3.upload_part(Bucket="films", Key="a", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": reply["ETag"]})
    print("parts", notices(), "objects", s3.list_objects_v2(Bucket="films")["KeyCount"])
    s3.complete_multipart_upload(Bucket="films", Key="a", UploadId=upload, MultipartUpload={"Parts": parts})
    print("complete", notices(), "objects", s3.list_objects_v2(Bucket="films")["KeyCount"])
PY
cat > "$dir/expected" <<'OUT'
parts [] objects 0
complete [('ObjectCreated:CompleteMultipartUpload', 'a', 5242883), ('ObjectCreated:Put', 'a', 5242883)] objects 1
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto notifies about an upload in parts differently now"; exit 1; }
echo "as recorded"
