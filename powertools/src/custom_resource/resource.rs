use std::fmt;

use serde_json::{Map, Value};

/// A resource as the handler leaves it.
#[derive(Clone, Default)]
#[must_use = "CloudFormation is sent the resource that the handler returns"]
pub struct Resource {
    pub(super) physical_id: Option<String>,
    pub(super) data: Map<String, Value>,
    pub(super) hides_data: bool,
}

impl Resource {
    /// Creates a resource that keeps its physical id and has no data.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the physical id, which `Ref` returns in the template. An empty one counts as none, and one of more than
    /// 1,024 bytes is an error.
    ///
    /// Another one than before, after an update, replaces the resource. After a deletion it has no effect.
    ///
    /// CloudFormation passes the id to the deletion: see [whose a resource is](super#whose-a-resource-is).
    pub fn physical_id(mut self, id: impl Into<String>) -> Self {
        self.physical_id = Some(id.into()).filter(|id| !id.is_empty());
        self
    }

    /// Adds a value that `Fn::GetAtt` returns in the template under this name.
    pub fn data(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.data.insert(name.into(), value.into());
        self
    }

    /// Hides the data where CloudFormation shows it, such as a password in `Fn::GetAtt`.
    pub fn no_echo(mut self) -> Self {
        self.hides_data = true;
        self
    }
}

/// The data may be secret.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("physical_id", &self.physical_id).finish_non_exhaustive()
    }
}
