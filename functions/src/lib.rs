//! The functions: each endpoint is a file below its area, and a Lambda function of its own.
//!
//! They share one binary, which `_HANDLER` tells which of them it is. Whatever two endpoints share
//! has a room below them, in `shared/`, or here when it is made of several stores; no endpoint
//! imports another.

mod access;
pub mod accounts;
pub mod admin;
mod audit_entry;
mod created_file;
pub mod downloads;
mod file_check;
pub mod files;
mod function;
pub mod imports;
mod invitations;
pub mod jobs;
pub mod links;
mod owner_mails;
mod recipient_mails;
pub mod sessions;
pub mod uploads;
mod verified;
pub mod web;

pub use function::{Function, Served, ServedDirect, ServedEndpoint};
