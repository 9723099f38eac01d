use lambda_runtime::Error;
use powertools::batch;
use powertools::batch::Message;

#[batch]
async fn no_source(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(concurrency = 8)]
async fn no_source_either(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sns)]
async fn unknown_source(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs, source = SqsEvent)]
async fn two_sources(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs, concurrency = 0)]
async fn none_at_once(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs, concurrency = "8")]
async fn text(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs, all_or_nothing = true)]
async fn flag_with_a_value(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs, all_or_nothing, all_or_nothing)]
async fn flag_twice(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs, partial_response)]
async fn not_kafka(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(kinesis, max_receive_count = 3)]
async fn not_a_queue(order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs)]
async fn no_record() -> Result<(), Error> {
    Ok(())
}

#[batch(sqs)]
async fn result(order: Message<u64>) -> Result<u64, Error> {
    Ok(order.body)
}

#[batch(sqs)]
async fn no_result(order: Message<u64>) {}

#[batch(sqs)]
async fn exclusive(seen: &mut u64, order: Message<u64>) -> Result<(), Error> {
    Ok(())
}

#[batch(sqs)]
async fn unnamed(order: impl Sized) -> Result<(), Error> {
    Ok(())
}

struct Orders;

impl Orders {
    #[batch(sqs)]
    async fn by_value(self, order: Message<u64>) -> Result<(), Error> {
        Ok(())
    }

    #[batch(sqs)]
    async fn only_self(&self) -> Result<(), Error> {
        Ok(())
    }
}

fn main() {
    let _ = (no_source, no_source_either, unknown_source, two_sources, none_at_once, text);
    let _ = (flag_with_a_value, flag_twice, not_kafka, no_record, result, no_result, exclusive);
    let _ = (Orders::by_value, Orders::only_self);
}
