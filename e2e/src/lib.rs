//! What the end-to-end tests stand on: a server of one's own, what its clients can ask of it, what
//! is asserted of its answers, its store from behind, and faults between its parts.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::must_use_candidate,
    missing_docs,
    reason = "a test that cannot be set up should stop where it stands"
)]

pub mod access_token;
pub mod answer;
pub mod api;
pub mod bad_input;
pub mod command;
pub mod contract;
pub mod dynamodb_port;
pub mod forms;
pub mod mail_server;
pub mod matchers;
pub mod ops;
pub mod origin;
pub mod previewers;
pub mod process;
pub mod proxy;
pub mod routes;
pub mod samples;
pub mod scene;
pub mod second_factor;
pub mod store;
pub mod uploads;
pub mod world;

pub use answer::{Answer, send};
pub use ops::Ops;
pub use scene::{Link, Scene};
pub use uploads::Upload;
pub use world::World;
