//! `openapi_show`: the description of the API for programs.

use std::sync::LazyLock;

use serde_json::Value;
use share_contract::{Operation, openapi, operations};
use share_http::{Answer, ApiError, Endpoint, Request};
use share_store::{Platform, StartError};

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

/// It touches nothing.
pub struct OpenApi;

impl Endpoint for OpenApi {
    const NAME: &'static str = "OpenApi";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::OPENAPI_SHOW];
    const READS_USERS: bool = false;
    type Json = &'static Value;

    async fn connect(_: &Platform) -> Result<Self, StartError> {
        // Lambda gives an initialisation a full core, and the first request a part of one.
        LazyLock::force(&DOCUMENT);
        Ok(Self)
    }

    async fn handle(&self, _: &Request) -> Result<Answer<&'static Value>, ApiError> {
        Ok(Answer::ok(&DOCUMENT))
    }
}
