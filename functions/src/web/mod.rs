//! The web app, and the description of the API.

mod api_docs;
mod openapi;
mod web_app;

pub use api_docs::ApiDocs;
pub use openapi::OpenApi;
pub use web_app::WebApp;
