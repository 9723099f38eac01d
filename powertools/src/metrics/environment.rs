//! The variables of the environment that set up the metrics.

use super::{Error, Namespace};
pub(super) use crate::environment::Environment;
use crate::environment::{DEV, InvalidFlag, SERVICE_NAME};

const NAMESPACE: &str = "POWERTOOLS_METRICS_NAMESPACE";
const DISABLED: &str = "POWERTOOLS_METRICS_DISABLED";
const FUNCTION_NAME: &str = "POWERTOOLS_METRICS_FUNCTION_NAME";

pub(super) fn namespace(environment: &Environment) -> Result<Option<Namespace>, Error> {
    environment.get(NAMESPACE).map(|namespace| namespace.parse()).transpose()
}

pub(super) fn service(environment: &Environment) -> Option<String> {
    environment.get(SERVICE_NAME)
}

pub(super) fn function_name(environment: &Environment) -> Option<String> {
    environment.get(FUNCTION_NAME)
}

/// As the other toolkits: development disables the metrics, unless the variable for that is set.
pub(super) fn disabled(environment: &Environment) -> Result<bool, Error> {
    let flag = |name| {
        environment.flag(name).map_err(|InvalidFlag { name, value }| Error::Setting {
            variable: name,
            value,
            reason: "it is neither true nor false",
        })
    };
    match flag(DISABLED)? {
        Some(disabled) => Ok(disabled),
        None => Ok(flag(DEV)?.unwrap_or(false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn development_disables_metrics_unless_they_are_asked_for() {
        let disabled = |variables: &[(&str, &str)]| {
            disabled(&Environment::of(variables.iter().copied())).unwrap()
        };
        assert!(!disabled(&[]));
        assert!(disabled(&[(DEV, "true")]));
        assert!(!disabled(&[(DEV, "true"), (DISABLED, "false")]));
        assert!(disabled(&[(DISABLED, "1")]));
    }
}
