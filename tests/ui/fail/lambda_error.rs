use powertools::LambdaError;

#[derive(Debug, thiserror::Error, LambdaError)]
enum Names {
    #[error("a")]
    #[error_type("A")]
    Parentheses,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Number {
    #[error("a")]
    #[error_type = 7]
    A,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Empty {
    #[error("a")]
    #[error_type = ""]
    A,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Reserved {
    #[error("a")]
    #[error_type = "States.Timeout"]
    A,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Twice {
    #[error("a")]
    #[error_type = "A"]
    #[error_type = "B"]
    A,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Contradiction {
    #[error("a")]
    #[permanent]
    #[retryable]
    A,
}

#[derive(Debug, thiserror::Error, LambdaError)]
enum Value {
    #[error("a")]
    #[permanent = true]
    A,
}

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("a")]
struct Field {
    #[permanent]
    field: u8,
}

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("{0}")]
struct Borrowed<'a>(&'a str);

#[derive(Debug, thiserror::Error, LambdaError)]
#[lambda_error(path = "powertools")]
#[error("a")]
struct Option;

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("a")]
#[http(409)]
struct StatusAlone;

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("a")]
#[http(status = 200)]
struct StatusOfSuccess;

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("a")]
#[http(status = 409)]
#[http(status = 410)]
struct StatusTwice;

/// What needs the type goes on as if there was no mistake.
async fn handle() -> Result<(), Names> {
    let told: lambda_runtime::Diagnostic = Number::A.into();
    println!("{}", told.error_type);
    Err(Names::Parentheses)
}

fn main() {
    let _ = handle();
}
