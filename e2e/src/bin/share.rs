//! The command `share`, for the tests. A program of this name would collide with that of `cli/`.

use std::io::IsTerminal;
use std::process::ExitCode;

fn main() -> ExitCode {
    let stdin = std::io::stdin();
    if stdin.is_terminal() && rustix::process::setsid().is_ok() {
        // What a shell does before it starts a program: prompts open `/dev/tty`.
        let _ = rustix::process::ioctl_tiocsctty(&stdin);
    }
    share_cli::main()
}
