//! Start-up only: parse, pick the subcommand, exit code.

fn main() {}
