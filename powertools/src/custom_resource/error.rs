use lambda_runtime::Error as BoxError;

/// Why a change of a custom resource failed, apart from the handler's own errors.
///
/// [`error_type`](Self::error_type) returns the fixed name under which each is reported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The event is not one of CloudFormation's, apart from its `ResponseURL`. CloudFormation is sent this
    /// error.
    #[error("invalid event at {path}: {reason}")]
    EventInvalid {
        /// The path of the value.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The properties of the template do not have the handler's type. CloudFormation is sent this error.
    #[error("invalid properties at {path}: {reason}")]
    PropertiesInvalid {
        /// The path of the value.
        path: String,
        /// What is wrong with it.
        reason: String,
    },

    /// The resource has more data than CloudFormation takes. CloudFormation is sent this error.
    #[error("the response has {bytes} bytes, and CloudFormation takes {limit}: return less data")]
    ResponseTooLarge {
        /// The size of the response in bytes.
        bytes: usize,
        /// The most bytes that CloudFormation takes.
        limit: usize,
    },

    /// The resource has a longer physical id than CloudFormation takes. CloudFormation is sent this error.
    #[error("the physical id has {bytes} bytes, and CloudFormation takes {limit}")]
    PhysicalIdTooLong {
        /// The size of the id in bytes.
        bytes: usize,
        /// The most bytes that CloudFormation takes.
        limit: usize,
    },

    /// CloudFormation has not received the response. The function reports this error to Lambda, which
    /// delivers the event again.
    #[error("CloudFormation has not received the response")]
    ResponseNotSent(#[source] BoxError),
}

impl Error {
    /// Returns the name under which the error is reported. It never changes, so that an alarm can match
    /// it.
    #[must_use]
    pub fn error_type(&self) -> &'static str {
        match self {
            Self::EventInvalid { .. } => "Powertools.CustomResourceEventInvalid",
            Self::PropertiesInvalid { .. } => "Powertools.CustomResourcePropertiesInvalid",
            Self::ResponseTooLarge { .. } => "Powertools.CustomResourceResponseTooLarge",
            Self::PhysicalIdTooLong { .. } => "Powertools.CustomResourcePhysicalIdTooLong",
            Self::ResponseNotSent(_) => "Powertools.CustomResourceResponseNotSent",
        }
    }
}

crate::error::own::name_in_lambda!(Error);
