#!/usr/bin/env bash
# One would guess that moto keeps metrics apart by their dimensions as CloudWatch does, where each set of dimensions is
# a metric of its own: a question with none is answered only by values that were put with none.
# Values with any dimensions answer a question with none, so that the sum is that of all. GetMetricStatistics for
# Function=a has the values of Function=a, Stage=prod too; GetMetricData asks for the same set, and disagrees with it.
# Seen on 2026-11-30 with moto 5.2.5, boto3 1.44.8 and Python 3.11.
# For tests of a dashboard, an alarm or a scaling rule: a query that forgets the dimensions finds all there is on moto,
# and nothing on AWS. Compare with ListMetrics, which shows the sets apart.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q 'moto[cloudwatch]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat > "$dir/probe.py" <<'PY'
from datetime import datetime, timedelta, timezone

import boto3
from moto import mock_aws

NOON = datetime(2026, 11, 30, 12, tzinfo=timezone.utc)
FUNCTION = {"Name": "Function", "Value": "a"}
STAGE = {"Name": "Stage", "Value": "prod"}
with mock_aws():
    client = boto3.client("cloudwatch", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
    for dimensions, value in [([FUNCTION], 1), ([FUNCTION, STAGE], 10)]:
        client.put_metric_data(Namespace="shop", MetricData=[
            {"MetricName": "Orders", "Dimensions": dimensions, "Value": value, "Timestamp": NOON}])
    window = {"StartTime": NOON - timedelta(minutes=1), "EndTime": NOON + timedelta(minutes=1)}
    for dimensions in [[], [STAGE], [FUNCTION], [FUNCTION, STAGE], [{"Name": "Function", "Value": "b"}]]:
        metric = {"Namespace": "shop", "MetricName": "Orders", "Dimensions": dimensions}
        points = client.get_metric_statistics(Period=60, Statistics=["Sum"], **metric, **window)["Datapoints"]
        data = client.get_metric_data(MetricDataQueries=[
            {"Id": "q", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}}], **window)
        print(", ".join(f"{d['Name']}={d['Value']}" for d in dimensions) or "none",
              "statistics", [point["Sum"] for point in points], "data", data["MetricDataResults"][0]["Values"])
    print("listed", sorted(len(metric["Dimensions"]) for metric in client.list_metrics(Namespace="shop")["Metrics"]))
PY
cat > "$dir/expected" <<'OUT'
none statistics [11.0] data [11.0]
Stage=prod statistics [10.0] data []
Function=a statistics [11.0] data [1.0]
Function=a, Stage=prod statistics [10.0] data [10.0]
Function=b statistics [] data []
listed [1, 2]
OUT
"$dir/venv/bin/python" "$dir/probe.py" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: moto selects the values of a metric differently now"; exit 1; }
echo "as recorded"
