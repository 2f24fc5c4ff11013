//! Schemas of texts that have no type of their own.

use schemars::{Schema, SchemaGenerator, json_schema};

/// A moment: RFC 3339, UTC, three decimals.
pub(crate) fn moment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}

/// An absolute address.
pub(crate) fn url(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "uri" })
}

/// A one-time token: 32 random bytes as base64url.
pub(crate) fn token(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" })
}

/// A key that the caller has chosen: visible ASCII.
pub(crate) fn key(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": "^[!-~]{1,255}$" })
}

/// How many records a page has at most.
pub(crate) fn limit(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 50 })
}

/// Any text.
pub(crate) fn text(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string" })
}
