//! Functions without a route, which events and schedules start. What they are to do is in the Files
//! table, and of accounts in the Users table; whatever they do, they can do again.

mod check_file;
mod continue_imports;
mod erase_accounts;
mod remove_files;

pub use check_file::CheckFile;
pub use continue_imports::ContinueImports;
pub use erase_accounts::EraseAccounts;
pub use remove_files::RemoveFiles;

use std::time::{Duration, Instant};

/// How many files a run takes up at most.
const FILES_A_RUN: usize = 100;

/// How long a run takes up further files. A function is ended after 15 minutes.
const RUN: Duration = Duration::from_mins(10);

/// What the audit says of what a job ends.
const EXPIRED: &str = "its time was over";

/// Whether a run that began then takes up another file.
fn goes_on(begun: Instant) -> bool {
    begun.elapsed() < RUN
}

/// What a run calls itself in the audit: the id of the event that started it.
fn run_id(event: &serde_json::Map<String, serde_json::Value>) -> String {
    event.get("id").and_then(|id| id.as_str()).unwrap_or("schedule").to_owned()
}
