//! The endpoints of DynamoDB, by the rules that AWS publishes for its SDKs (the endpoint rule set of
//! botocore, `dynamodb/2012-08-10`).

use std::sync::{Arc, Mutex, PoisonError};

use hyper::header::HeaderValue;

use super::call::invalid;
use crate::aws::credentials::Credentials;
use crate::aws::partitions::{GOV, partition};
use crate::aws::transport::{Destination, TransportError};
use crate::environment::Environment;
use crate::idempotency::Error;
use crate::idempotency::store::dynamodb::requests::Failure;

const MODE: &str = "AWS_ACCOUNT_ID_ENDPOINT_MODE";

/// Where the requests of a client go.
pub(super) struct Endpoint {
    usual: Arc<Destination>,
    accounts: Option<Accounts>,
}

/// The endpoints of accounts in a region.
struct Accounts {
    region: String,
    /// What follows the account.
    domain: String,
    is_required: bool,
    /// The one that was used last.
    kept: Mutex<Option<(String, Arc<Destination>)>>,
}

/// How to reach a region.
#[derive(Clone, Copy)]
pub(super) struct Variant {
    pub(super) fips: bool,
    pub(super) dual_stack: bool,
}

impl Endpoint {
    /// Takes a URL that was set, whatever the account.
    pub(super) fn custom(url: &str) -> Result<Self, TransportError> {
        Ok(Self { usual: Arc::new(Destination::parse(url)?), accounts: None })
    }

    /// Finds the endpoint of a region, and those of its accounts where the partition has them.
    pub(super) fn of_region(
        region: &str,
        variant: Variant,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let mode = environment.get(MODE).unwrap_or_else(|| "preferred".to_owned());
        let (is_enabled, is_required) = match &*mode.to_lowercase() {
            "required" => (true, true),
            "preferred" => (true, false),
            "disabled" => (false, false),
            _ => {
                return Err(Error::Config(format!(
                    "{MODE} is neither `preferred`, `required` nor `disabled`"
                )));
            }
        };
        let usual = url(region, variant).map_err(Error::Config)?;
        let usual = Destination::parse(&usual)
            .map_err(|_| Error::Config(format!("`{region}` is not a region")))?;
        let domain = account_domain(region, variant).filter(|_| is_enabled);
        if is_required && domain.is_none() {
            return Err(Error::Config(format!(
                "{MODE} is `required`, and there are no endpoints of accounts here"
            )));
        }
        let accounts = domain.map(|domain| Accounts {
            region: region.to_owned(),
            domain,
            is_required,
            kept: Mutex::default(),
        });
        Ok(Self { usual: Arc::new(usual), accounts })
    }

    /// Returns the endpoint for requests about `table` with these credentials. An ARN names the account of
    /// the table, which can be another one.
    pub(super) fn of(
        &self,
        credentials: &Credentials,
        table: &str,
    ) -> Result<Arc<Destination>, Failure> {
        let Some(accounts) = &self.accounts else { return Ok(self.usual.clone()) };
        match accounts.account_of(table).or(credentials.account_id.as_deref()) {
            Some(account) => accounts.of(account),
            None if accounts.is_required => {
                Err(invalid(format!("{MODE} is `required`, and the credentials name no account")))
            }
            None => Ok(self.usual.clone()),
        }
    }

    /// Returns the host of requests whose credentials name no account.
    pub(super) fn host(&self) -> &HeaderValue {
        self.usual.host()
    }
}

impl Accounts {
    /// Returns the account in the ARN of a table of this region.
    fn account_of<'a>(&self, table: &'a str) -> Option<&'a str> {
        let mut parts = table.splitn(6, ':');
        let [arn, _, service, region, account] = std::array::from_fn(|_| parts.next());
        let is_here =
            (arn, service, region) == (Some("arn"), Some("dynamodb"), Some(&*self.region));
        account.filter(|account| is_here && is_label(account))
    }

    fn of(&self, account: &str) -> Result<Arc<Destination>, Failure> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, to)) = &*kept
            && of == account
        {
            return Ok(to.clone());
        }
        if !is_label(account) {
            return Err(invalid("the account of the credentials is invalid"));
        }
        let to = Destination::parse(&format!("https://{account}.{}", self.domain));
        let to = Arc::new(to.map_err(invalid)?);
        *kept = Some((account.to_owned(), to.clone()));
        Ok(to)
    }
}

/// Returns true for what may be a part of the name of a host.
fn is_label(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !text.is_empty() && text.len() < 64 && text.bytes().all(allowed) && !text.starts_with('-')
}

/// Returns the URL of DynamoDB in a region.
fn url(region: &str, Variant { fips, dual_stack }: Variant) -> Result<String, String> {
    if !is_label(region) {
        return Err(format!("`{}` is not a region", region.escape_debug()));
    }
    let (prefix, domain) = partition(region, dual_stack);
    // The usual endpoints of GovCloud are already validated for FIPS.
    let service = match fips && (dual_stack || prefix != GOV) {
        true => "dynamodb-fips",
        false => "dynamodb",
    };
    Ok(format!("https://{service}.{region}.{domain}"))
}

/// Returns the end of the hosts of accounts in a region, if there are such hosts.
fn account_domain(region: &str, Variant { fips, dual_stack }: Variant) -> Option<String> {
    let (prefix, domain) = partition(region, dual_stack);
    (prefix.is_empty() && !fips).then(|| format!("ddb.{region}.{domain}"))
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
        assert!(cases.len() > 400, "{}", cases.len());
        for case in cases {
            let region = case["region"].as_str().unwrap();
            let flag = |name: &str| case[name].as_bool().unwrap();
            let variant = Variant { fips: flag("fips"), dual_stack: flag("dual_stack") };
            let mode = [(MODE, case["mode"].as_str().unwrap())];
            let endpoint = Endpoint::of_region(region, variant, &Environment::of(mode));
            let credentials = Credentials {
                account_id: case["account"].as_str().map(str::to_owned),
                ..Credentials::new("AKID".to_owned(), "hidden".to_owned(), None)
            };
            let table = case["table"].as_str().unwrap();
            let to = endpoint.ok().and_then(|endpoint| endpoint.of(&credentials, table).ok());
            let url = to.map(|to| format!("https://{}", to.host().to_str().unwrap()));
            assert_eq!(url.as_deref(), case["url"].as_str(), "{case}");
        }
    }

    #[test]
    fn an_invalid_region_does_not_become_part_of_a_host() {
        let usual = Variant { fips: false, dual_stack: false };
        for region in ["", "eu/central", "a.b", "eu-central-1@evil.com", "-a", "é", "a\n"] {
            assert!(url(region, usual).is_err(), "{region}");
        }
    }
}
