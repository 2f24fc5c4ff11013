//! Between API Gateway and the endpoints: a request becomes typed input, an error becomes an HTTP
//! answer, and every answer gets its security headers.

mod authenticator;
mod body;
mod direct_function;
mod endpoint;
mod error;
mod fields;
mod html_page;
mod lease;
mod log;
mod multipart;
mod paging;
mod public_url;
mod request;
mod response;

pub mod lambda;

pub use authenticator::Authenticator;
pub use body::{Body, BodyError, reporting, whole};
pub use direct_function::{DirectFunction, DirectFunctionError};
pub use endpoint::{Endpoint, answer};
pub use error::{ApiError, FieldError};
pub use fields::Fields;
pub use html_page::{HtmlPage, escape};
pub use lease::{read_lease, send_lease, set_lease_cookie};
pub use log::{Metric, log_failure};
pub use multipart::UploadForm;
pub use paging::Paging;
pub use public_url::PublicUrl;
pub use request::Request;
pub use response::{Response, created, empty, json, ok, redirect};
