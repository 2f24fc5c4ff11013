//! The command `share`.

use std::process::ExitCode;

fn main() -> ExitCode {
    share_cli::main()
}
