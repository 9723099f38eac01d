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


def url(region, fips, dual_stack, mode, account):
    parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dual_stack, "AccountIdEndpointMode": mode}
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
everywhere = [("preferred", None), ("preferred", "111122223333")]
some = [("required", None), ("required", "111122223333"), ("disabled", "111122223333"), ("preferred", "no/account")]
cases = [
    {
        "region": region,
        "fips": fips,
        "dual_stack": dual_stack,
        "mode": mode,
        "account": account,
        "url": url(region, fips, dual_stack, mode, account),
    }
    for region in [*regions, "xx-future-1", "cn-future-9"]
    for fips in (False, True)
    for dual_stack in (False, True)
    for mode, account in everywhere + (some if region in ("cn-north-1", "eu-central-1", "us-gov-west-1") else [])
]
lines = ",\n  ".join(json.dumps(case) for case in cases)
print(f'{{\n "source": "botocore 1.43.11 (PyPI)",\n "cases": [\n  {lines}\n ]\n}}')
