use powertools::LambdaError;

#[derive(Debug, LambdaError)]
enum OrderError {
    #[error_type = "CardDeclined"]
    Declined,
}

fn main() {
    let _ = OrderError::Declined;
}
