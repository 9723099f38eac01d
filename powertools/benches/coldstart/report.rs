//! Tables of what was measured.

use std::io::Write;

use crate::start::Start;

/// All that is known of one variant.
pub(crate) struct Measured {
    pub(crate) name: &'static str,
    /// In bytes.
    pub(crate) binary: u64,
    /// Until the first response.
    pub(crate) instructions: f64,
    pub(crate) starts: Vec<Start>,
}

/// A column: its head, and what one start has in it.
type Column = (&'static str, fn(&Measured, &Start) -> f64);

const COLUMNS: [Column; 7] = [
    ("to first poll, ms", |_, start| 1e3 * start.first_poll.as_secs_f64()),
    ("first, ms", |_, start| 1e3 * start.first.as_secs_f64()),
    ("second, ms", |_, start| 1e3 * start.second.as_secs_f64()),
    ("CPU, ms", |_, start| 1e3 * start.cpu.as_secs_f64()),
    ("instructions, M", |measured, _| measured.instructions / 1e6),
    ("memory, MB", |_, start| start.memory as f64 / 1e6),
    ("binary, MB", |measured, _| measured.binary as f64 / 1e6),
];

/// Whether the first is what the second is compared with.
fn is_base(base: &str, other: &str) -> bool {
    /// For the settings of its build.
    const LEAN: &str = "ours, lean";
    base != other && (base.starts_with("by hand") || base == LEAN && other.starts_with(LEAN))
}

pub(crate) fn print(measured: &[Measured]) {
    let mut out = String::new();
    head(&mut out, "median");
    for one in measured {
        row(&mut out, one.name, |(_, value)| {
            let values = one.starts.iter().map(|start| value(one, start)).collect();
            let [_, median, _] = quartiles(values);
            format!("{median:.1}")
        });
    }
    for base in measured {
        let others: Vec<_> = measured.iter().filter(|one| is_base(base.name, one.name)).collect();
        if others.is_empty() {
            continue;
        }
        out.push('\n');
        head(&mut out, &format!("to {}", base.name));
        for one in others {
            row(&mut out, one.name, |(_, value)| {
                let pairs = one.starts.iter().zip(&base.starts);
                let ratios = pairs.map(|(mine, other)| value(one, mine) / value(base, other));
                spread(ratios.collect())
            });
        }
    }
    out.push_str("\n| | first to second |\n|---|--:|\n");
    for one in measured {
        let ratios =
            one.starts.iter().map(|start| start.first.as_secs_f64() / start.second.as_secs_f64());
        out.push_str(&format!("| {} | {} |\n", one.name, spread(ratios.collect())));
    }
    std::io::stdout().write_all(out.as_bytes()).expect("somebody reads it");
}

fn head(out: &mut String, title: &str) {
    row(out, title, |(name, _)| (*name).to_owned());
    out.push_str(&format!("|---|{}\n", "--:|".repeat(COLUMNS.len())));
}

fn row(out: &mut String, name: &str, cell: impl FnMut(&Column) -> String) {
    let cells: Vec<_> = COLUMNS.iter().map(cell).collect();
    out.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
}

/// The median and, where they differ, the quartiles.
fn spread(values: Vec<f64>) -> String {
    let [low, median, high] = quartiles(values);
    if high - low < 0.005 {
        format!("{median:.2}")
    } else {
        format!("{median:.2} ({low:.2}–{high:.2})")
    }
}

fn quartiles(mut values: Vec<f64>) -> [f64; 3] {
    values.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| values[(values.len() * quarter / 4).min(values.len() - 1)])
}
