use std::collections::VecDeque;

/// The last lines of an invocation that were below the level.
#[derive(Debug, Default)]
pub(in crate::logging) struct Buffer {
    bytes: VecDeque<u8>,
    lengths: VecDeque<usize>,
    evicted: u64,
}

impl Buffer {
    /// Keeps a line; the oldest ones make room within `limit`.
    pub(in crate::logging) fn push(&mut self, line: &[u8], limit: usize) {
        if line.len() > limit {
            self.evicted += 1;
            return;
        }
        while self.bytes.len() + line.len() > limit {
            let Some(oldest) = self.lengths.pop_front() else { break };
            self.bytes.drain(..oldest);
            self.evicted += 1;
        }
        self.bytes.extend(line);
        self.lengths.push_back(line.len());
    }

    /// How many lines did not fit.
    pub(in crate::logging) fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Hands out the lines in order.
    pub(in crate::logging) fn for_each(mut self, mut f: impl FnMut(&[u8])) {
        let mut bytes: &[u8] = self.bytes.make_contiguous();
        for length in self.lengths {
            let (line, rest) = bytes.split_at(length);
            f(line);
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
            buffer.push(line.as_bytes(), 12);
        }
        assert_eq!(lines(buffer), (vec!["three\n".to_owned(), "four\n".to_owned()], 2));
    }

    #[test]
    fn a_line_over_the_limit_is_counted_and_costs_no_other() {
        let mut buffer = Buffer::default();
        buffer.push(b"one\n", 8);
        buffer.push(b"much too long\n", 8);
        buffer.push(b"two\n", 8);
        assert_eq!(lines(buffer), (vec!["one\n".to_owned(), "two\n".to_owned()], 1));
    }

    fn lines(buffer: Buffer) -> (Vec<String>, u64) {
        let evicted = buffer.evicted();
        let mut lines = Vec::new();
        buffer.for_each(|line| lines.push(String::from_utf8(line.to_vec()).unwrap()));
        (lines, evicted)
    }
}
