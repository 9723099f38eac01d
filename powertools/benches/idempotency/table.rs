use crate::lines::Line;

/// A measured line.
pub(crate) struct Row {
    pub(crate) line: &'static Line,
    pub(crate) ours: f64,
    pub(crate) floor: f64,
    pub(crate) ratio: f64,
}

impl Row {
    /// The medians of what was measured in pairs. The ratio is the median of the pairs' ratios.
    pub(crate) fn median(line: &'static Line, pairs: &[(f64, f64)]) -> Self {
        Self {
            line,
            ours: median(pairs.iter().map(|&(ours, _)| ours)),
            floor: median(pairs.iter().map(|&(_, floor)| floor)),
            ratio: median(pairs.iter().map(|&(ours, floor)| ours / floor)),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn print(unit: &str, rows: &[Row]) {
    if rows.is_empty() {
        return;
    }
    println!("| {:27} | {:>12} | {:>12} | ratio | target |", "", unit, "floor");
    println!("|{:-<29}|{:->13}:|{:->13}:|------:|-------:|", "", "", "");
    for Row { line, ours, floor, ratio } in rows {
        let Line { name, target, .. } = line;
        println!("| {name:27} | {ours:12.0} | {floor:12.0} | {ratio:5.2} | {target:6.1} |");
    }
}
