use serde::Deserialize;

use super::{HasNaturalKey, NaturalKey};

/// The context object of a state machine, as far as it identifies the task.
///
/// The state machine must pass it to the task: with `"context": "{% $states.context %}"` in the arguments of the
/// task in JSONata, or `"context.$": "$$"` in its parameters in JSONPath.
///
/// ```
/// use powertools::events::{StepFunctionsContext, natural};
///
/// #[derive(serde::Deserialize)]
/// struct Task {
///     context: StepFunctionsContext,
///     order: String,
/// }
///
/// # fn main() -> Result<(), serde_json::Error> {
/// let task: Task = serde_json::from_str(
///     r#"{
///         "context": {
///             "Execution": { "Id": "arn:aws:states:eu-central-1:123456789012:execution:orders:7" },
///             "State": { "Name": "Charge", "EnteredTime": "2026-01-02T03:04:05.678Z", "RetryCount": 1 }
///         },
///         "order": "o-1"
///     }"#,
/// )?;
/// assert!(!natural(&task.context).is_absent());
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct StepFunctionsContext {
    execution: Execution,
    state: State,
    map: Option<Map>,
    /// The indexes in the maps around that of this context, from the outermost inwards.
    #[serde(skip)]
    outer: Vec<Option<u64>>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
struct Execution {
    id: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
struct State {
    name: Option<String>,
    entered_time: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
struct Map {
    item: Item,
}

#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "PascalCase", default)]
struct Item {
    index: Option<u64>,
}

impl StepFunctionsContext {
    /// Adds the indexes of an outer map, for a task inside a map that is nested in another one.
    ///
    /// The context object contains the index in the innermost map alone. Two iterations of the
    /// outer map may enter the same state with the same inner index in one millisecond, and would
    /// share a key. So the outer map passes its own context on, in its `ItemSelector`:
    ///
    /// ```json
    /// { "ItemSelector": { "outer": "{% $states.context %}", "orders": "{% $states.context.Map.Item.Value %}" } }
    /// ```
    ///
    /// and the task adds it to its own:
    ///
    /// ```
    /// use powertools::events::{NaturalKey, StepFunctionsContext, natural};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Task {
    ///     context: StepFunctionsContext,
    ///     outer: StepFunctionsContext,
    /// }
    ///
    /// fn key(task: &Task) -> NaturalKey {
    ///     natural(&task.context.clone().inside(&task.outer))
    /// }
    /// # let _ = key;
    /// ```
    ///
    /// The iterations of a distributed map are executions of their own, with ids of their own.
    #[must_use]
    pub fn inside(mut self, outer: &Self) -> Self {
        self.outer.splice(..0, outer.indexes());
        self
    }

    /// The indexes from the outermost map inwards; `None` for one that was not passed on.
    fn indexes(&self) -> impl Iterator<Item = Option<u64>> {
        let own = self.map.iter().map(|map| map.item.index);
        self.outer.iter().copied().chain(own)
    }
}

/// A retry keeps the time at which the state was entered, and a loop that returns to the state does
/// not.
impl HasNaturalKey for StepFunctionsContext {
    fn natural_key(&self) -> NaturalKey {
        let indexes: Vec<_> =
            self.indexes().map(|index| index.map(|index| index.to_string())).collect();
        let task = [
            self.execution.id.as_deref(),
            self.state.name.as_deref(),
            self.state.entered_time.as_deref(),
        ];
        NaturalKey::new(task.into_iter().chain(indexes.iter().map(Option::as_deref)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_retry_keeps_the_key_of_the_task_and_another_round_does_not() {
        let context = |entered: &str, retries: u32| {
            key(json!({
                "Execution": { "Id": "e-1", "RedriveCount": 0 },
                "State": { "Name": "Charge", "EnteredTime": entered, "RetryCount": retries },
            }))
        };
        assert_eq!(context("t-1", 0), context("t-1", 2));
        assert_ne!(context("t-1", 0), context("t-2", 0));
    }

    #[test]
    fn each_item_of_a_map_has_its_own_key() {
        let item = |map: Value| {
            key(json!({
                "Execution": { "Id": "e-1" },
                "State": { "Name": "Charge", "EnteredTime": "t-1" },
                "Map": map,
            }))
        };
        assert_ne!(
            item(json!({ "Item": { "Index": 0 } })),
            item(json!({ "Item": { "Index": 1 } }))
        );
        assert!(item(json!({ "Item": {} })).is_absent(), "all items would share a key");
        assert!(!item(Value::Null).is_absent());
    }

    #[test]
    fn items_of_nested_maps_have_the_index_of_every_level() {
        let context = |index: u64| {
            let context = json!({
                "Execution": { "Id": "e-1" },
                "State": { "Name": "Charge", "EnteredTime": "t-1" },
                "Map": { "Item": { "Index": index } },
            });
            serde_json::from_value::<StepFunctionsContext>(context).unwrap()
        };
        let item = |outer, inner| context(inner).inside(&context(outer)).natural_key();
        assert_eq!(item(1, 2), item(1, 2));
        assert_ne!(item(0, 1), item(1, 1), "both were entered in the same millisecond");
        assert_ne!(item(0, 1), item(1, 0));

        let innermost = context(3).inside(&context(2)).inside(&context(1)).natural_key();
        let between = context(3).inside(&context(2).inside(&context(1))).natural_key();
        assert_eq!(innermost, between);
        let expected = ["e-1", "Charge", "t-1", "1", "2", "3"].map(Some);
        assert_eq!(innermost, NaturalKey::new(expected));
    }

    #[test]
    fn an_event_without_a_context_has_no_key() {
        assert!(key(json!({})).is_absent());
        assert!(key(json!({ "Execution": { "Id": "e-1" } })).is_absent());
    }

    fn key(context: Value) -> NaturalKey {
        serde_json::from_value::<StepFunctionsContext>(context).unwrap().natural_key()
    }
}
