use serde_json::Value;

/// Returns true if an HTTP response may be stored and replayed as the answer to a request.
///
/// A response with status 408, 425, 429 or 5xx only reports that this attempt did not succeed:
/// replayed, it would hold off every retry until the record expires. `response` is the JSON that the
/// function returns to API Gateway, a load balancer or a function URL, with its `statusCode`. Without
/// one it is final: API Gateway answers it with 200.
///
/// [`#[idempotent]`](macro@crate::idempotent) applies it to the response types of
/// `aws_lambda_events`, with the feature `aws-lambda-events`. For other types it is an option:
///
/// ```
/// use powertools::http;
/// use powertools::idempotency::{Idempotency, MemoryStore};
/// use serde_json::json;
///
/// let idempotency = Idempotency::builder(MemoryStore::new()).keep_if(http::is_final).build()?;
///
/// assert!(http::is_final(&json!({ "statusCode": 404 })));
/// assert!(!http::is_final(&json!({ "statusCode": 503 })));
/// # let _ = idempotency;
/// # Ok::<(), powertools::idempotency::Error>(())
/// ```
#[must_use]
pub fn is_final(response: &Value) -> bool {
    let status = match &response["statusCode"] {
        Value::Number(status) => status.as_u64(),
        // API Gateway takes it as a string too.
        Value::String(status) => status.trim().parse().ok(),
        _ => None,
    };
    status.is_none_or(is_final_status)
}

/// Returns true unless the status only reports that this attempt did not succeed.
pub(super) fn is_final_status(status: u64) -> bool {
    !matches!(status, 408 | 425 | 429 | 500..=599)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::is_final;

    #[test]
    fn responses_that_ask_for_a_retry_are_not_final() {
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(!is_final(&json!({ "statusCode": status })), "{status}");
            assert!(!is_final(&json!({ "statusCode": status.to_string() })), "{status}");
        }
    }

    #[test]
    fn every_other_response_is_final() {
        for status in [200, 202, 301, 400, 404, 409, 422, 499, 600] {
            assert!(is_final(&json!({ "statusCode": status })), "{status}");
        }
        for response in
            [json!({ "order": 7 }), json!("done"), json!({ "statusCode": null }), json!(503)]
        {
            assert!(is_final(&response), "{response}");
        }
    }
}
