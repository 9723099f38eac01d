//! Lines below the level, kept for the case of a failure.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

/// Whose a line is: a number for each record, and 0 for what is outside of records.
pub(in crate::logging) type Owner = u64;

/// The last lines of an invocation that were below the level, also those of its records, so that all
/// of them together take no more than the limit.
#[derive(Debug, Default)]
pub(in crate::logging) struct Buffer {
    bytes: VecDeque<u8>,
    lines: VecDeque<(Owner, usize)>,
    /// How many lines did not fit, for each owner that has one.
    evicted: BTreeMap<Owner, u64>,
}

impl Buffer {
    /// Keeps a line; the oldest ones make room within `limit`.
    pub(in crate::logging) fn push(&mut self, owner: Owner, line: &[u8], limit: usize) {
        if line.len() > limit {
            return self.evict(owner);
        }
        while self.bytes.len() + line.len() > limit {
            let Some((oldest, length)) = self.lines.pop_front() else { break };
            self.bytes.drain(..length);
            self.evict(oldest);
        }
        self.bytes.extend(line);
        self.lines.push_back((owner, line.len()));
    }

    fn evict(&mut self, owner: Owner) {
        *self.evicted.entry(owner).or_default() += 1;
    }

    /// How many lines did not fit.
    pub(in crate::logging) fn evicted(&self) -> u64 {
        self.evicted.values().sum()
    }

    /// Takes out what belongs to `owner`.
    pub(in crate::logging) fn take(&mut self, owner: Owner) -> Self {
        let (mut taken, mut rest) = (Self::default(), Self::default());
        let mut all = mem::take(self);
        taken.evicted.extend(all.evicted.remove_entry(&owner));
        rest.evicted = mem::take(&mut all.evicted);
        all.each(|of, line| {
            let to = if of == owner { &mut taken } else { &mut rest };
            to.push(of, line, usize::MAX);
        });
        *self = rest;
        taken
    }

    /// Calls `f` with each line, in order.
    pub(in crate::logging) fn for_each(self, mut f: impl FnMut(&[u8])) {
        self.each(|_, line| f(line));
    }

    fn each(mut self, mut f: impl FnMut(Owner, &[u8])) {
        let mut bytes: &[u8] = self.bytes.make_contiguous();
        for (owner, length) in self.lines {
            let (line, rest) = bytes.split_at(length);
            f(owner, line);
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_last_lines_within_the_limit_and_counts_the_others() {
        let mut buffer = Buffer::default();
        for line in ["one\n", "two\n", "three\n", "four\n"] {
            buffer.push(0, line.as_bytes(), 12);
        }
        assert_eq!(lines(buffer), (vec!["three\n".to_owned(), "four\n".to_owned()], 2));
    }

    #[test]
    fn a_line_over_the_limit_is_counted_and_evicts_no_other() {
        let mut buffer = Buffer::default();
        buffer.push(0, b"one\n", 8);
        buffer.push(0, b"much too long\n", 8);
        buffer.push(0, b"two\n", 8);
        assert_eq!(lines(buffer), (vec!["one\n".to_owned(), "two\n".to_owned()], 1));
    }

    #[test]
    fn lines_of_one_owner_are_removed_and_the_others_are_kept() {
        let mut buffer = Buffer::default();
        for (owner, line) in [(1, "one\n"), (2, "two\n"), (0, "none\n"), (1, "three\n"), (2, "2\n")]
        {
            buffer.push(owner, line.as_bytes(), 19);
        }
        let taken = buffer.take(1);
        assert_eq!(lines(taken), (vec!["three\n".to_owned()], 1));
        assert_eq!(
            lines(buffer),
            (vec!["two\n".to_owned(), "none\n".to_owned(), "2\n".to_owned()], 0)
        );
    }

    fn lines(buffer: Buffer) -> (Vec<String>, u64) {
        let evicted = buffer.evicted();
        let mut lines = Vec::new();
        buffer.for_each(|line| lines.push(String::from_utf8(line.to_vec()).unwrap()));
        (lines, evicted)
    }
}
