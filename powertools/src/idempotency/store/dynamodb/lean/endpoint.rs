//! The endpoints of DynamoDB, by the rules that AWS publishes for its SDKs (the endpoint rule set of
//! botocore, `dynamodb/2012-08-10`).

/// The prefix of the names of regions, with the domains of their endpoints and of their dual-stack
/// endpoints. The last row is that of all other regions.
const PARTITIONS: [(&str, &str, &str); 8] = [
    ("cn-", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    (GOV, "amazonaws.com", "api.aws"),
    ("us-iso-", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "sc2s.sgov.gov", "api.aws.scloud"),
    ("eu-isoe-", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("us-isof-", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("eusc-", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("", "amazonaws.com", "api.aws"),
];
const GOV: &str = "us-gov-";

/// Returns the URL of DynamoDB in a region.
pub(super) fn url(region: &str, fips: bool, dual_stack: bool) -> Result<String, String> {
    let is_label = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty() && text.len() < 64 && text.bytes().all(allowed) && !text.starts_with('-')
    };
    if !is_label(region) {
        return Err(format!("`{}` is not a region", region.escape_debug()));
    }
    let known = PARTITIONS.into_iter().find(|(prefix, ..)| region.starts_with(prefix));
    let (prefix, domain, dual_stack_domain) = known.unwrap_or(PARTITIONS[7]);
    let domain = if dual_stack { dual_stack_domain } else { domain };
    // The usual endpoints of GovCloud are already validated for FIPS.
    let service = match fips && (dual_stack || prefix != GOV) {
        true => "dynamodb-fips",
        false => "dynamodb",
    };
    Ok(format!("https://{service}.{region}.{domain}"))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn endpoints_are_those_of_botocore() {
        let recorded = include_str!("../../../../../../tests/vectors/dynamodb-endpoints.json");
        let recorded: Value = serde_json::from_str(recorded).unwrap();
        let cases = recorded["cases"].as_array().unwrap();
        assert!(cases.len() > 150, "{}", cases.len());
        for case in cases {
            let region = case["region"].as_str().unwrap();
            let flag = |name: &str| case[name].as_bool().unwrap();
            let url = url(region, flag("fips"), flag("dual_stack")).ok();
            assert_eq!(url.as_deref(), case["url"].as_str(), "{case}");
        }
    }

    #[test]
    fn an_invalid_region_does_not_become_part_of_a_host() {
        for region in ["", "eu/central", "a.b", "eu-central-1@evil.com", "-a", "é", "a\n"] {
            assert!(url(region, false, false).is_err(), "{region}");
        }
    }
}
