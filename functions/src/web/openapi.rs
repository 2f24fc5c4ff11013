//! `openapi_show`: the description of the API for programs.

use serde_json::Value;
use share_contract::{Operation, openapi, operations};
use share_http::{Answer, ApiError, Endpoint, Request};
use share_store::{Platform, StartError};

/// It touches nothing.
pub struct OpenApi {
    document: Value,
}

impl Endpoint for OpenApi {
    const NAME: &'static str = "OpenApi";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::OPENAPI_SHOW];
    const READS_USERS: bool = false;
    type Json = Value;

    async fn connect(_: &Platform) -> Result<Self, StartError> {
        Ok(Self { document: openapi::document() })
    }

    async fn handle(&self, _: &Request) -> Result<Answer<Value>, ApiError> {
        Ok(Answer::ok(self.document.clone()))
    }
}
