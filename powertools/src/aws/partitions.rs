//! The partitions of AWS, with the domains of their endpoints.

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
pub(crate) const GOV: &str = "us-gov-";

/// Returns the prefix of the partition of a region, and the domain of its endpoints.
pub(crate) fn partition(region: &str, dual_stack: bool) -> (&'static str, &'static str) {
    let known = PARTITIONS.into_iter().find(|(prefix, ..)| region.starts_with(prefix));
    let (prefix, domain, dual_stack_domain) = known.unwrap_or(PARTITIONS[7]);
    (prefix, if dual_stack { dual_stack_domain } else { domain })
}
