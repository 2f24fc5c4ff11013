//! Between API Gateway and the endpoints: a request becomes typed input, an error becomes an HTTP
//! answer, and every answer gets its security headers.

mod body;
mod callers;
mod endpoint;
mod error;
mod fields;
mod lease;
mod log;
mod multipart;
mod page;
mod paging;
mod public_url;
mod request;
mod response;
mod task;

pub mod lambda;

pub use body::{Body, BodyError, watched, whole};
pub use callers::Callers;
pub use endpoint::{Endpoint, answer};
pub use error::{ApiError, FieldError};
pub use fields::Fields;
pub use lease::{give_lease, plant_lease, presented_lease};
pub use log::{Metric, log_failure};
pub use multipart::UploadForm;
pub use page::{Page, escape};
pub use paging::Paging;
pub use public_url::PublicUrl;
pub use request::Request;
pub use response::{Response, created, empty, json, ok, redirect};
pub use task::{Task, TaskError};
