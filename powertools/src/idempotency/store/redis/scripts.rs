//! The conditional writes. The server runs each of them atomically. Each touches one key, so that
//! it also runs in a cluster, on the node that has the key.

use std::sync::LazyLock;

use redis::{Cmd, Script};

/// A script, with the hash under which a server keeps it.
#[derive(Debug)]
pub(super) struct Write {
    text: String,
    hash: String,
}

/// Sets the record `ARGV[1]` for `ARGV[2]` milliseconds if there is none, or if it is still the one
/// that the client judged to be free, `ARGV[3]`.
pub(super) static CLAIM: LazyLock<Write> = LazyLock::new(|| {
    Write::new(
        "local record = redis.call('GET', KEYS[1])
        if record and record ~= ARGV[3] then
            return record
        end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        return 1",
    )
});

/// Changes the beginning to `ARGV[2]`, which contains the expiration `ARGV[3]`, and the end to
/// `ARGV[4]`, and removes the end of the lease.
pub(super) static COMPLETE: LazyLock<Write> = LazyLock::new(|| {
    // Mostly the record still has the same expiration, right after the status. Without a search for
    // it, and without the function `set`, the server takes a sixth less.
    let quick =
        "local same = ARGV[1] .. ',\"expiration\":' .. ARGV[3] .. ',\"in_progress_expiration\":'
        if record and string.sub(record, 1, #same) == same then
            local rest = string.find(record, '[,}]', #same)
            local changed = ARGV[2] .. string.sub(record, rest, -2) .. ARGV[4]
            if redis.pcall('SET', KEYS[1], changed, 'KEEPTTL').ok then
                return 1
            end
        end";
    let change = "members = string.gsub(members, EXPIRATION, '', 1)
        members = string.gsub(members, LEASE, '', 1)
        return set(ARGV[2] .. members .. ARGV[4], ARGV[3])";
    Write::new([READ, quick, IS_HELD, change].concat())
});

/// Changes the end of the lease to `ARGV[2]` and the expiration to `ARGV[3]`.
pub(super) static RENEW: LazyLock<Write> = LazyLock::new(|| {
    Write::held(
        "local lease = tonumber(string.match(members, LEASE))
        if not lease or lease >= tonumber(ARGV[2]) then
            return record
        end
        members = string.gsub(members, LEASE, '', 1)
        members = string.gsub(members, EXPIRATION, '', 1)
        local times = ',\"expiration\":' .. ARGV[3] .. ',\"in_progress_expiration\":' .. ARGV[2]
        return set(ARGV[1] .. times .. members .. '}', ARGV[3])",
    )
});

pub(super) static RELEASE: LazyLock<Write> = LazyLock::new(|| {
    Write::held(
        "redis.call('DEL', KEYS[1])
        return 1",
    )
});

const READ: &str = "local record = redis.call('GET', KEYS[1])\n";

/// Returns the existing record, or none, unless it begins with `ARGV[1]`: the owner and the status
/// of a claim. `members` is the rest of it, without its last brace. A claim has no result, so these
/// are numbers and hashes.
///
/// The time for which the server keeps the record changes by as much as its expiration does, so that
/// the clock of the server does not matter. Mostly it does not change, which KEEPTTL makes cheap;
/// servers before Redis 6 do not know that.
const IS_HELD: &str = "
    local EXPIRATION, LEASE = ',\"expiration\":(%d+)', ',\"in_progress_expiration\":(%d+)'
    if not record or string.sub(record, 1, #ARGV[1]) ~= ARGV[1] then
        return record
    end
    local members = string.sub(record, #ARGV[1] + 1, -2)
    local function set(changed, expiration)
        local before = string.match(record, EXPIRATION)
        if before == expiration and redis.pcall('SET', KEYS[1], changed, 'KEEPTTL').ok then
            return 1
        end
        local kept = redis.call('PTTL', KEYS[1])
        if kept >= 0 and before then
            kept = math.max(1, kept + (expiration - before) * 1000)
            redis.call('SET', KEYS[1], changed, 'PX', string.format('%.0f', kept))
        else
            redis.call('SET', KEYS[1], changed)
        end
        return 1
    end
";

impl Write {
    fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        let hash = Script::new(&text).get_hash().to_owned();
        Self { text, hash }
    }

    /// Creates a write of a record that is held.
    fn held(change: &str) -> Self {
        Self::new([READ, IS_HELD, change].concat())
    }

    /// Returns the command that runs the script on a server that knows it.
    pub(super) fn by_hash(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        command("EVALSHA", &self.hash, key, arguments)
    }

    /// Returns the command that runs the script on any server, which knows it from then on.
    pub(super) fn by_text(&self, key: &str, arguments: &[&[u8]]) -> Cmd {
        command("EVAL", &self.text, key, arguments)
    }
}

/// The command that does the same as [`CLAIM`] without a free record, in half of its time. Servers
/// before Redis 7 do not know it.
pub(super) fn create(key: &str, [record, kept]: &[&[u8]; 2]) -> Cmd {
    let mut command = Cmd::with_capacity(7, 20 + key.len() + record.len() + kept.len());
    command.arg("SET").arg(key).arg(record).arg("NX").arg("GET").arg("PX").arg(kept);
    command
}

/// The command that does the same as [`COMPLETE`] if the record is exactly this one, in half of its time.
/// Servers before Valkey 8.1 and Redis 8.4 do not know it.
///
/// With a time, Valkey 9.1 sends its replicas a `SET` without the condition. With `KEEPTTL` it sends
/// them the condition, and a replica that does not know it drops the write.
pub(super) fn replace(key: &str, [claimed, completed, kept]: &[&[u8]; 3]) -> Cmd {
    let bytes = key.len() + claimed.len() + completed.len() + kept.len();
    let mut command = Cmd::with_capacity(7, 20 + bytes);
    command.arg("SET").arg(key).arg(completed).arg("IFEQ").arg(claimed).arg("PX").arg(kept);
    command
}

fn command(name: &str, script: &str, key: &str, arguments: &[&[u8]]) -> Cmd {
    let bytes: usize = arguments.iter().map(|argument| argument.len()).sum();
    let mut command =
        Cmd::with_capacity(4 + arguments.len(), 10 + script.len() + key.len() + bytes);
    command.arg(name).arg(script).arg(1).arg(key).arg(arguments);
    command
}
