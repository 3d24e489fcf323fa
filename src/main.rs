//! Start-up only: the command line decides what runs.

use std::process::ExitCode;

fn main() -> ExitCode {
    v9s::cli::main()
}
