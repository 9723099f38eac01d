use std::ptr;

use super::Error;

tokio::task_local! {
    /// The addresses of the cells whose initialisers are running, from the outside in.
    static MAKING: Vec<usize>;
}

/// What is being made here, with one more cell. An error if that cell is among them.
#[derive(Debug)]
pub(super) struct Making(Vec<usize>);

impl Making {
    pub(super) fn with<T>(cell: &T) -> Result<Self, Error> {
        let mut cells = MAKING.try_with(Vec::clone).unwrap_or_default();
        let address = ptr::from_ref(cell).addr();
        if cells.contains(&address) {
            return Err(Error::Reentrant);
        }
        cells.push(address);
        Ok(Self(cells))
    }

    pub(super) async fn scope<F: Future>(self, make: F) -> F::Output {
        MAKING.scope(self.0, make).await
    }

    pub(super) fn sync_scope<T>(self, make: impl FnOnce() -> T) -> T {
        MAKING.sync_scope(self.0, make)
    }
}
