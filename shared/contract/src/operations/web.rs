//! The web app, and the operations that describe the API.

use super::{get, json};
use crate::{Answer, Body, Caller, Content, ErrorCode, Operation, Parameter, Place, schema};

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

/// `GET /`
pub const APP_SHOW: Operation = Operation {
    name: "app_show",
    summary: "The web app.",
    caller: Caller::Anyone,
    routes: &[get("/")],
    parameters: &[],
    body: Body::None,
    answers: &[Answer { status: 200, description: "Its page.", content: Content::Page }],
    errors: &[],
};

/// `GET /app/{file}`
pub const APP_FILE_SHOW: Operation = Operation {
    name: "app_file_show",
    summary: "A script, the styles or the icon of the web app, by a name that changes with the content.",
    caller: Caller::Anyone,
    routes: &[get("/app/{file}")],
    parameters: &[Parameter {
        name: "file",
        place: Place::Path,
        required: true,
        description: "The name, as the page and the scripts have it.",
        schema: schema::text,
    }],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The file.", content: Content::WebFile }],
    errors: &[ErrorCode::FileUnknown],
};
