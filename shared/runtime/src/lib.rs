//! What is Lambda's part of a function: the entry point, the log, the clock and the environment.

mod direct_function;
mod environment;
mod log;
mod run;

pub use direct_function::{DirectFunction, NotDone};
pub use environment::{clock, environment};
pub use run::{Error, run, run_direct, run_streaming};
