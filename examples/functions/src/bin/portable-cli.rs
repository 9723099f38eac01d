//! The core of `portable` as a plain program, which reads a parcel from standard input.
//!
//! ```sh
//! echo '{"weight": 1200}' | cargo run -p functions --bin portable-cli
//! ```

use std::io::{self, Write};

use functions::quote::quote;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let quote = quote(&serde_json::from_reader(io::stdin())?)?;
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&quote)?)?)
}
