//! How data of one schema is read as that of another: what [`resolve`](super::resolve) found out.

use std::sync::Arc;

/// How deeply values may be nested.
pub(super) const DEPTH: usize = 64;

/// The place of a node in [`Plan::nodes`].
pub(super) type Id = usize;

/// How data of a writer's schema is read as that of a reader's. It is a graph: schemas can contain
/// themselves.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) nodes: Vec<Node>,
    pub(super) root: Id,
}

/// What the writer wrote, and what the reader takes it for.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Boolean,
    Number {
        writer: Number,
        reader: Number,
    },
    /// Bytes with their length in front.
    Bytes(Form),
    Fixed(usize, Form),
    /// The reader's symbol for each of the writer's.
    Enum(Vec<Option<String>>),
    Array(Id),
    Map(Id),
    Record(Record),
    /// A union of the writer: a node for each branch.
    Union(Vec<Id>),
    /// A branch of a union of the reader. Nothing of it is in the data.
    Branch(Branch, Id),
    /// What the reader cannot take, and why. It is an error if the data has it.
    Mismatch(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub(super) enum Number {
    Int,
    Long,
    Float,
    Double,
}

/// What bytes mean to the reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bytes,
    String,
    Decimal,
    BigDecimal,
    UuidText,
    UuidBytes,
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct Record {
    /// The fields of the reader.
    pub(super) names: Vec<String>,
    /// The fields of the writer, in the order of the data.
    pub(super) steps: Vec<Step>,
    /// The fields that the writer does not have.
    pub(super) defaults: Vec<Default>,
    /// True if `derive(AvroSchema)` put the only field of a variant into it.
    pub(super) is_variant: bool,
}

#[derive(Debug, PartialEq)]
pub(super) struct Step {
    /// The place of the field in the reader's record. Without one it is skipped.
    pub(super) field: Option<usize>,
    pub(super) node: Id,
}

/// The default of a field, as the reader's schema writes it.
#[derive(Debug, PartialEq)]
pub(super) struct Default {
    pub(super) field: usize,
    pub(super) node: Id,
    pub(super) data: Vec<u8>,
    /// The number of its values.
    pub(super) count: usize,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Branch {
    pub(super) index: usize,
    pub(super) of: Arc<Branches>,
}

/// The branches of a union of the reader.
#[derive(Debug, PartialEq)]
pub(super) struct Branches {
    /// Their names without a namespace, of those that have one.
    pub(super) names: Vec<Option<String>>,
    /// The place of null.
    pub(super) null: Option<usize>,
    /// How many are records or maps, which fields alone cannot tell apart.
    pub(super) records: usize,
}
