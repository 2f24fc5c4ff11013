//! The local server as a process of its own, for tests that kill it.

fn main() -> std::process::ExitCode {
    share_local::main()
}
