//! Every option, on handlers of every shape.

#![deny(warnings)]
#![allow(dead_code)]

use lambda_runtime::{Context, Error, LambdaEvent};
use powertools::logging::correlation;
use powertools::{LambdaError, logged};
use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
struct Order {
    id: String,
}

type Event = LambdaEvent<Order>;

#[derive(Debug, thiserror::Error, LambdaError)]
#[error("declined")]
struct Declined;

#[logged]
async fn bare(event: LambdaEvent<Order>) -> Result<String, Error> {
    Ok(event.payload.id)
}

#[logged(event)]
async fn event(Event { payload, .. }: Event) -> Result<String, Declined> {
    Ok(payload.id)
}

#[logged(correlation_id = "/headers/x-id", event)]
async fn both(prefix: &str, event: &Event) -> Result<String, Error> {
    Ok(format!("{prefix}{}", event.payload.id))
}

#[logged(correlation_id = correlation::APPLICATION_LOAD_BALANCER)]
async fn constant(event: Event) -> anyhow::Result<String> {
    Ok(event.payload.id)
}

#[logged(correlation_id = "/Records/0/messageId")]
async fn ignored(_: Event) -> Result<(), Error> {
    Ok(())
}

#[logged(context = context)]
async fn told(order: Order, context: &Context) -> Result<String, Error> {
    let _ = context;
    Ok(order.id)
}

#[logged(event)]
async fn generic<T: Serialize>(event: LambdaEvent<T>) -> Result<(), Error> {
    drop(event);
    Ok(())
}

struct Handler;

impl Handler {
    #[logged(event)]
    async fn handle(&self, mut event: Event) -> Result<Order, Error> {
        event.payload.id.push('!');
        Ok(event.payload)
    }
}

fn main() {}
