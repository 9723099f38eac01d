#!/usr/bin/env bash
# One would guess that the crate cron gives the runs of a schedule in the order of time, and that the first
# run after an instant is later than this instant: the method is called after().
# When the clocks go back, a schedule of every half hour has 02:00 and 02:30 twice in local time. The crate
# gives 02:00, 02:00, 02:30, 02:30, so the third run lies half an hour before the second. By instants:
# after(00:40Z) leaves out the runs of 01:00Z and 01:30Z, and after(01:10Z) is 00:30Z, which is past.
# Seen too: croner and cron-parser (npm) and croniter (PyPI) give every half hour once, in order.
# Seen on 2026-11-28 with cron 0.17.0 and chrono-tz 0.10.4 on Rust 1.95.
# For "sleep until the next run": two runs are missed on that night, or one that is over is due again. Ask
# the crate in UTC, as EventBridge rules do, or sort the runs of a whole day; never trust that next > now.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/src"
cat > "$dir/Cargo.toml" <<'TOML'
[package]
name = "probe"
version = "0.0.0"
edition = "2024"
[dependencies]
chrono = { version = "=0.4.45", default-features = false }
chrono-tz = { version = "=0.10.4", default-features = false }
cron = "=0.17.0"
[profile.dev]
debug = false
TOML
cat > "$dir/src/main.rs" <<'RS'
use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::{Europe::Berlin, Tz};
use cron::Schedule;

fn main() {
    let schedule: Schedule = "0 0,30 * * * *".parse().unwrap();
    let utc = |time: DateTime<Tz>| time.with_timezone(&Utc).format("%H:%MZ").to_string();
    let at = |hour, minute| Utc.with_ymd_and_hms(2026, 10, 25, hour, minute, 0).unwrap().with_timezone(&Berlin);
    let before = Utc.with_ymd_and_hms(2026, 10, 24, 23, 40, 0).unwrap().with_timezone(&Berlin);
    let runs: Vec<_> = schedule.after(&before).take(6).map(utc).collect();
    println!("runs after 23:40Z: {}", runs.join(" "));
    for (hour, minute) in [(0, 10), (0, 40), (1, 10)] {
        println!("first after {hour:02}:{minute}Z: {}", utc(schedule.after(&at(hour, minute)).next().unwrap()));
    }
}
RS
cat > "$dir/expected" <<'OUT'
runs after 23:40Z: 00:00Z 01:00Z 00:30Z 01:30Z 02:00Z 02:30Z
first after 00:10Z: 00:30Z
first after 00:40Z: 02:00Z
first after 01:10Z: 00:30Z
OUT
CARGO_TARGET_DIR="$dir/target" cargo run -q --manifest-path "$dir/Cargo.toml" > "$dir/seen"
diff "$dir/expected" "$dir/seen" || { echo "changed: the crate cron orders the runs of that night differently now"; exit 1; }
echo "as recorded"
