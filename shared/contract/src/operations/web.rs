//! Operations that describe the API.

use super::{get, json};
use crate::{Answer, Body, Caller, Content, Operation};

/// `GET /api/openapi.json`
pub const OPENAPI_SHOW: Operation = Operation {
    name: "openapi_show",
    summary: "This description of the API (OpenAPI 3.1).",
    caller: Caller::Anyone,
    routes: &[get("/api/openapi.json")],
    parameters: &[],
    body: Body::None,
    answers: &[json::<serde_json::Map<String, serde_json::Value>>(200, "The document.")],
    errors: &[],
};

/// `GET /api/docs`
pub const DOCS_SHOW: Operation = Operation {
    name: "docs_show",
    summary: "The same description for people, as a page.",
    caller: Caller::Anyone,
    routes: &[get("/api/docs")],
    parameters: &[],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: &[],
};
