//! Between API Gateway and the endpoints: a request becomes typed input, an error becomes an HTTP
//! answer, and every answer gets its security headers.

mod body;
mod callers;
mod endpoint;
mod error;
mod fields;
mod log;
mod multipart;
mod page;
mod public_url;
mod request;
mod response;
mod task;

pub mod lambda;

pub use body::{Body, BodyError};
pub use callers::Callers;
pub use endpoint::{Endpoint, answer};
pub use error::{ApiError, FieldError};
pub use fields::Fields;
pub use log::Metric;
pub use multipart::UploadedFile;
pub use page::{Page, escape};
pub use public_url::PublicUrl;
pub use request::Request;
pub use response::{Response, bytes, created, json, ok, redirect, stream};
pub use task::{Task, TaskError};
