"""Writes dynamodb-endpoints.json: the endpoints of DynamoDB by the rule set of botocore 1.43.11.

    pip install botocore==1.43.11 && python dynamodb-endpoints.py > dynamodb-endpoints.json
"""

import json

from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.loaders import Loader

loader = Loader()
provider = EndpointProvider(
    loader.load_service_model("dynamodb", "endpoint-rule-set-1"),
    loader.load_data("partitions"),
)


def url(region, fips, dual_stack, mode, account, table):
    parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack, "AccountIdEndpointMode": mode}
    parameters["ResourceArn"] = table
    if account is not None:
        parameters["AccountId"] = account
    try:
        return provider.resolve_endpoint(**parameters).url
    except EndpointProviderError:
        return None


regions = sorted(
    region
    for partition in loader.load_data("partitions")["partitions"]
    for region in partition["regions"]
    if "global" not in region
)
everywhere = [("preferred", None, "orders"), ("preferred", "111122223333", "orders")]
some = [
    ("required", None, "orders"),
    ("required", "111122223333", "orders"),
    ("disabled", "111122223333", "orders"),
    ("preferred", "no/account", "orders"),
]
arns = [
    (mode, account, f"arn:aws:{service}:{region}:{owner}:table/orders")
    for mode, account in [("preferred", None), ("preferred", "111122223333"), ("required", None), ("disabled", None)]
    for service, region, owner in [
        ("dynamodb", "eu-central-1", "444455556666"),
        ("dynamodb", "us-gov-west-1", "444455556666"),
        ("dynamodb", "eu-west-1", "444455556666"),
        ("kinesis", "eu-central-1", "444455556666"),
        ("dynamodb", "eu-central-1", "no/account"),
    ]
]
cases = [
    {
        "region": region,
        "fips": fips,
        "dual_stack": dual_stack,
        "mode": mode,
        "account": account,
        "table": table,
        "url": url(region, fips, dual_stack, mode, account, table),
    }
    for region in [*regions, "xx-future-1", "cn-future-9"]
    for fips in (False, True)
    for dual_stack in (False, True)
    for mode, account, table in everywhere
    + (some + arns if region in ("cn-north-1", "eu-central-1", "us-gov-west-1") else [])
]
lines = ",\n  ".join(json.dumps(case) for case in cases)
print(f'{{\n "source": "botocore 1.43.11 (PyPI)",\n "cases": [\n  {lines}\n ]\n}}')
