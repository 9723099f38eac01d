use serde_json::{Value, json};

use super::TIME;
use crate::testing::identifiers::{self, ACCOUNT, REGION};

/// Starts the context object of a state machine whose state of this name is a task, for the member of
/// an input that a handler reads as a [`StepFunctionsContext`](crate::events::StepFunctionsContext).
///
/// ```
/// use powertools::testing::events;
/// use serde_json::json;
///
/// let context = events::step_functions_context("Charge").item(3).build();
/// let event = json!({ "context": context, "order": "o-1" });
/// assert_eq!(event["context"]["State"]["Name"], "Charge");
/// assert_eq!(event["context"]["Map"]["Item"]["Index"], 3);
/// ```
pub fn step_functions_context(state: impl Into<String>) -> StepFunctionsTask {
    StepFunctionsTask {
        state: state.into(),
        execution: identifiers::request_id(),
        entered: TIME.to_owned(),
        retries: 0,
        item: None,
    }
}

/// The context object of a task. Created by [`step_functions_context`].
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct StepFunctionsTask {
    state: String,
    execution: String,
    entered: String,
    retries: u32,
    item: Option<u64>,
}

impl StepFunctionsTask {
    /// Sets the name of the execution. Defaults to a new one.
    pub fn execution(mut self, name: impl Into<String>) -> Self {
        self.execution = name.into();
        self
    }

    /// Sets when the state was entered, such as `2026-01-01T00:00:00.000Z`.
    pub fn entered(mut self, time: impl Into<String>) -> Self {
        self.entered = time.into();
        self
    }

    /// Sets how often the task was retried.
    pub fn retries(mut self, count: u32) -> Self {
        self.retries = count;
        self
    }

    /// Puts the task into a map, as the item with this index.
    pub fn item(mut self, index: u64) -> Self {
        self.item = Some(index);
        self
    }

    /// Creates the context object.
    #[must_use]
    pub fn build(self) -> Value {
        let arn = |kind: &str| format!("arn:aws:states:{REGION}:{ACCOUNT}:{kind}:test");
        let mut context = json!({
            "Execution": {
                "Id": format!("{}:{}", arn("execution"), self.execution),
                "Input": {},
                "Name": self.execution,
                "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/test"),
                "StartTime": TIME,
                "RedriveCount": 0,
            },
            "State": {
                "EnteredTime": self.entered,
                "Name": self.state,
                "RetryCount": self.retries,
            },
            "StateMachine": { "Id": arn("stateMachine"), "Name": "test" },
        });
        if let Some(index) = self.item {
            context["Map"] = json!({ "Item": { "Index": index, "Value": {} } });
        }
        context
    }
}
