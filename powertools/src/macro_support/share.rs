/// Returns the clone of an argument that a record of a batch takes.
pub fn share<T: Shared>(argument: &T) -> T {
    argument.clone()
}

/// What all records of a batch can have: every type with `Clone`.
#[diagnostic::on_unimplemented(
    message = "the records of a batch cannot share `{Self}`",
    label = "each record takes a clone of this argument",
    note = "take an `Arc<{Self}>` or a reference, or implement `Clone`"
)]
pub trait Shared: Clone {}

impl<T: Clone> Shared for T {}
