//! The whole system on a laptop: an API Gateway front over the same handlers, with DynamoDB, S3
//! and mail in one process.

mod accounts;
mod command;
mod console;
mod embedded;
mod event;
mod functions;
mod gateway;
pub mod generated;
mod server;
mod template;

pub use command::main;
pub use gateway::Clock;
pub use server::{Server, Settings};
