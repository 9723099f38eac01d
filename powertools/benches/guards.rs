//! Guards and values made once, beside plain reads.

fn main() {}
