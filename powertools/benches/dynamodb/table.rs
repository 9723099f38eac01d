use crate::{FIRST_CALLS, Side};

/// Prints what each side takes, how much more the engine takes, and the part that it takes with the lean
/// client.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn first_calls(unit: &str, values: [f64; FIRST_CALLS.len()]) {
    println!("| {:53} | {unit:>12} | ours beyond it | lean to it |", "first call");
    println!("|{:-<55}|{:->13}:|---------------:|-----------:|", "", "");
    let [ours, lean, ..] = values;
    for (side, value) in FIRST_CALLS.into_iter().zip(values) {
        let name = match side {
            Side::Ours => "engine and store",
            Side::Lean => "engine and store, lean client",
            Side::Limited => "two SDK calls, limits for each (target: at most 5 %)",
            Side::Client => "two SDK calls, limits in the client",
            _ => "two SDK calls, no limits",
        };
        let (beyond, part) = ((ours / value - 1.0) * 100.0, lean / value);
        println!("| {name:53} | {value:12.1} | {beyond:12.1} % | {part:10.2} |");
    }
}

/// Prints what both sides of a commit take.
#[expect(clippy::print_stdout, reason = "what a bench is for")]
pub(crate) fn commits(unit: &str, [ours, by_hand]: [f64; 2]) {
    println!("\n| {:53} | {unit:>12} | ours to it |", "a first call that commits one write");
    println!("|{:-<55}|{:->13}:|-----------:|", "", "");
    println!("| {:53} | {ours:12.1} | {:10.3} |", "engine and store", 1.0);
    let name = "put and transaction by hand (target: at most 1.02)";
    println!("| {name:53} | {by_hand:12.1} | {:10.3} |", ours / by_hand);
}
