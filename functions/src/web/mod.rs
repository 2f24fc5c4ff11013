//! The description of the API.

mod api_docs;
mod openapi;

pub use api_docs::ApiDocs;
pub use openapi::OpenApi;
