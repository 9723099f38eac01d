use crate::{SIDES, Side};

/// Prints what each side takes, how much more the engine takes, and the part that it takes with the lean
/// client.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn print(unit: &str, values: &[f64; 5]) {
    println!("| {:53} | {unit:>12} | ours beyond it | lean to it |", "first call");
    println!("|{:-<55}|{:->13}:|---------------:|-----------:|", "", "");
    let [ours, lean, ..] = *values;
    for (side, value) in SIDES.into_iter().zip(values) {
        let name = match side {
            Side::Ours => "engine and store",
            Side::Lean => "engine and store, lean client",
            Side::Limited => "two SDK calls, limits for each (target: at most 5 %)",
            Side::Client => "two SDK calls, limits in the client",
            Side::Plain => "two SDK calls, no limits",
        };
        let (beyond, part) = ((ours / value - 1.0) * 100.0, lean / value);
        println!("| {name:53} | {value:12.1} | {beyond:12.1} % | {part:10.2} |");
    }
}
