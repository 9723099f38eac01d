use std::time::Duration;

use super::Deadline;

/// Items that are yielded while there is time. Created by [`Deadline::items`].
///
/// Iterate over `&mut` of it, so that [`rest`](Self::rest) can return the others.
#[derive(Clone, Debug)]
#[must_use = "items are taken by iterating"]
pub struct Items<I> {
    deadline: Deadline,
    items: I,
    estimate: Duration,
}

impl<I: Iterator> Items<I> {
    pub(super) fn new(deadline: Deadline, items: I, estimate: Duration) -> Self {
        Self { deadline, items, estimate }
    }

    /// Returns the items that were not yielded.
    #[must_use]
    pub fn rest(self) -> I {
        self.items
    }
}

impl<I: Iterator> Iterator for Items<I> {
    type Item = I::Item;

    /// Returns the next item, or `None` if there is none or no time for it.
    fn next(&mut self) -> Option<I::Item> {
        // Unlike `ensure`: the caller asks for what remains, so that nothing was refused.
        if self.deadline.fits(self.estimate) { self.items.next() } else { None }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, self.items.size_hint().1)
    }
}
