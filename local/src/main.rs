//! `cargo run`: the whole system on this machine.

/// Gives memory back once it is free. glibc keeps what hashes and uploads needed at most, in as many
/// pieces as there are threads: docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    share_local::main()
}
