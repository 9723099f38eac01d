use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry;
use powertools::batch::VisibilityChange;

async fn change(
    sqs: &Client,
    queue_url: &str,
    changes: Vec<VisibilityChange>,
) -> Result<(), aws_sdk_sqs::Error> {
    let mut request = sqs.change_message_visibility_batch().queue_url(queue_url);
    for (n, change) in changes.iter().enumerate() {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(n.to_string())
            .receipt_handle(change.record.receipt_handle().unwrap_or_default())
            .visibility_timeout(change.seconds)
            .build()?;
        request = request.entries(entry);
    }
    for failed in request.send().await?.failed() {
        tracing::warn!(code = failed.code(), "the visibility of a message was not changed");
    }
    Ok(())
}
