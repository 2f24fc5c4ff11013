//! End-to-end tests: one binary, because linking it is the slow part; a module per endpoint, and
//! one per rule that concerns them all.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

mod access;
mod bad_input;
mod crashes;
mod download_file;
mod events;
mod histories;
mod invitations;
mod links;
mod list_files;
mod races;
mod receipts;
mod resume;
mod story;
mod verify_email;
