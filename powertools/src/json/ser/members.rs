use std::cmp::Ordering;

use super::WriteError;
use super::member::{Member, compare, units};
use super::writer::{Form, Writer};

/// An object whose members are being written.
#[derive(Clone, Copy)]
pub(super) struct Members {
    /// The index of its first member among those of all open objects.
    first: usize,
    in_order: bool,
}

impl Members {
    #[inline]
    pub(super) fn open(writer: &mut Writer) -> Result<Self, WriteError> {
        writer.open(b'{')?;
        if writer.form == Form::Canonical {
            // Room for what is usual: growing takes as long as writing.
            writer.members.reserve(16);
        }
        Ok(Self { first: writer.members.len(), in_order: true })
    }

    /// Starts a member.
    #[inline]
    pub(super) fn name(&mut self, writer: &mut Writer, name: &str) {
        writer.next_item();
        let start = writer.out.len();
        let is_plain = writer.string(name);
        if writer.form == Form::Canonical {
            let member = Member::new(start, writer.out.len(), is_plain.then_some(name));
            if self.in_order
                && let Some(previous) = writer.members[self.first..].last()
            {
                self.in_order = compare(&writer.out, previous, &member) == Ordering::Less;
            }
            writer.members.push(member);
        }
        writer.out.push(b':');
    }

    #[inline]
    pub(super) fn end_member(self, writer: &mut Writer) {
        if let Some(member) = writer.members.last_mut() {
            member.end = writer.out.len();
        }
    }

    #[inline]
    pub(super) fn close(self, writer: &mut Writer) {
        if !self.in_order {
            self.sort(writer);
        }
        writer.members.truncate(self.first);
        writer.close(b'}');
    }

    fn sort(self, writer: &mut Writer) {
        let Writer { out, members, .. } = writer;
        let members = &mut members[self.first..];
        let (start, end) = (members[0].start, out.len());

        // The last of several with one name is last among them. A stable sort would do that by
        // itself, in three times the code.
        if members.iter().all(|member| member.prefix.is_some()) {
            members.sort_unstable_by(|a, b| compare(out, a, b).then(a.start.cmp(&b.start)));
        } else {
            // Each name is decoded once: there may be hundreds of thousands.
            members.sort_by_cached_key(|member| (units(member.name(out)), member.start));
        }
        out.reserve(end - start + 1);
        for (index, member) in members.iter().enumerate() {
            if members.get(index + 1).is_some_and(|next| member.name(out) == next.name(out)) {
                continue;
            }
            out.extend_from_within(member.start..member.end);
            out.push(b',');
        }
        // Instead of a comma after the last.
        out.pop();
        out.drain(start..end);
    }
}
