//! An HTTP API whose new checkout is on for some customers, by the rules in a document.
//!
//! In AWS the document is a configuration of AppConfig; locally it is the one beside this function.

use std::env;

use lambda_runtime::{Error, LambdaEvent};
use powertools::Powertools;
use powertools::feature_flags::FeatureFlags;
use powertools::logging::Logging;
use powertools::parameters::{Configuration, Memory, Parameters};
use serde::{Deserialize, Serialize};

static FLAGS: Configuration<FeatureFlags> =
    Configuration::json("shop/local/features").name_from("FEATURES");

/// The parts of a request of API Gateway that this function needs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request {
    #[serde(default)]
    query_string_parameters: Query,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Query {
    tier: String,
    number: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    status_code: u16,
    body: String,
}

/// What the rules ask for.
#[derive(Serialize)]
struct Customer {
    tier: String,
    number: u64,
}

#[derive(Deserialize)]
struct Discount {
    percent: u8,
}

#[derive(Serialize)]
struct Checkout {
    express: bool,
    discount_percent: u8,
}

async fn handle(event: LambdaEvent<Request>) -> Result<Response, Error> {
    let Query { tier, number } = event.payload.query_string_parameters;
    let Ok(number) = number.parse() else { return respond(400, "a customer has a number") };
    let customer = Customer { tier, number };
    let Checkout { express, discount_percent } = checkout(&customer).await;
    respond(200, serde_json::to_string(&Checkout { express, discount_percent })?)
}

/// Returns what this customer gets: nothing new while the flags cannot be read.
async fn checkout(customer: &Customer) -> Checkout {
    let none = Checkout { express: false, discount_percent: 0 };
    let flags = match FLAGS.get().await {
        Ok(flags) => flags,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "without new features");
            return none;
        }
    };
    if let Ok(explanation) = flags.explain("express_checkout", customer) {
        tracing::info!("{explanation}");
    }
    let discount = flags.evaluate("discount", customer).unwrap_or(Discount { percent: 0 });
    Checkout {
        express: flags.evaluate("express_checkout", customer).unwrap_or(false),
        discount_percent: discount.percent,
    }
}

fn respond(status_code: u16, body: impl Into<String>) -> Result<Response, Error> {
    Ok(Response { status_code, body: body.into() })
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut parameters = Parameters::new();
    if env::var("FEATURES").is_err() {
        let document = include_str!("../../features.json");
        let memory = Memory::new().with("shop/local/features", document);
        parameters = parameters.configurations_from(memory);
    }
    Powertools::new(handle)
        .logging(Logging::new())
        .parameters(parameters)
        .warm_up("flags", || FLAGS.get())
        .run()
        .await
}
