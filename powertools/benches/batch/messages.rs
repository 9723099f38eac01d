use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a message is about.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Order {
    pub(crate) number: u64,
    customer: String,
    currency: String,
    items: Vec<Item>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Item {
    sku: String,
    qty: u32,
    price: f64,
}

impl Order {
    fn new(number: u64) -> Self {
        let items = (0..3)
            .map(|item| Item {
                sku: format!("A-{item}"),
                qty: 1 + item % 3,
                price: f64::from(999 + 10 * item) / 100.0,
            })
            .collect();
        Self { number, customer: "customer-1042".to_owned(), currency: "EUR".to_owned(), items }
    }

    /// Handles the order: one in a thousand fails.
    pub(crate) async fn charge(self) -> Result<(), String> {
        if self.number % 1_000 == 999 {
            Err(format!("order {} failed", self.number))
        } else {
            Ok(())
        }
    }
}

/// The bytes of an event, with receipt handles of this length.
pub(crate) fn event(records: u64, receipt_handle: usize) -> Vec<u8> {
    let records: Vec<_> = (0..records)
        .map(|n| {
            json!({
                "messageId": format!("059f36b4-87a3-44ab-83d2-{n:012}"),
                "receiptHandle": "AQEBwJnKyrHigUMZj6reyNurSvK=".repeat(20)[..receipt_handle],
                "body": serde_json::to_string(&Order::new(n)).unwrap(),
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185"
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
                "awsRegion": "us-east-1"
            })
        })
        .collect();
    serde_json::to_vec(&json!({ "Records": records })).unwrap()
}
