use crate::environment::{Environment, INITIALIZATION_TYPE};

/// Why Lambda initialised this process, and with it how long that may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitializationType {
    /// An event waits for it: 10 seconds, and then again inside the first invocation.
    OnDemand,
    /// The environment is created before its events arrive (provisioned concurrency): minutes.
    ProvisionedConcurrency,
    /// It ends in a SnapStart snapshot: minutes.
    SnapStart,
    /// It runs on Lambda Managed Instances.
    ManagedInstances,
    /// It does not run in Lambda, or Lambda has a type that this version does not know.
    Unknown,
}

impl InitializationType {
    /// Returns the type of this process, from `AWS_LAMBDA_INITIALIZATION_TYPE`.
    #[must_use]
    pub fn current() -> Self {
        Self::of(&Environment::process())
    }

    fn of(environment: &Environment) -> Self {
        match environment.get(INITIALIZATION_TYPE).as_deref() {
            Some("on-demand") => Self::OnDemand,
            Some("provisioned-concurrency") => Self::ProvisionedConcurrency,
            Some("snap-start") => Self::SnapStart,
            Some("lambda-managed-instances") => Self::ManagedInstances,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_has_its_word() {
        for (word, expected) in [
            ("on-demand", InitializationType::OnDemand),
            ("provisioned-concurrency", InitializationType::ProvisionedConcurrency),
            ("snap-start", InitializationType::SnapStart),
            ("lambda-managed-instances", InitializationType::ManagedInstances),
            ("warm-pool", InitializationType::Unknown),
            ("", InitializationType::Unknown),
        ] {
            let environment = Environment::of([(INITIALIZATION_TYPE, word)]);
            assert_eq!(InitializationType::of(&environment), expected, "{word}");
        }
    }
}
