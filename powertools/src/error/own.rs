//! The names of this toolkit's own errors.

/// Gives the error of a module of this toolkit, which has an `error_type` of its own, that name in
/// Lambda.
macro_rules! name_in_lambda {
    ($error:ty) => {
        impl $crate::LambdaError for $error {
            fn error_type(&self) -> &'static str {
                <$error>::error_type(self)
            }
        }

        $crate::register_lambda_error!($error);

        impl From<$error> for ::lambda_runtime::Diagnostic {
            fn from(error: $error) -> Self {
                Self {
                    error_type: error.error_type().to_owned(),
                    error_message: $crate::error::with_causes(&error),
                }
            }
        }
    };
}

pub(crate) use name_in_lambda;
