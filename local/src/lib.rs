//! The whole system on a laptop: an API Gateway front over the same handlers, with DynamoDB, S3
//! and mail in one process.

mod accounts;
mod command;
mod console;
mod data_folder;
mod dynamodb;
mod embedded;
mod event;
mod event_bus;
mod functions;
mod gateway;
pub mod generated;
mod hosts;
mod in_process;
mod jobs;
mod s3;
mod server;
mod template;

pub use command::main;
pub use dynamodb::DynamoDb;
pub use server::{Backend, Server, Settings};
