//! Files and the receipts of their links.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use share_model::{ContentDigest, FileId, FileName, FileRecord, Username, rfc3339_millis};

use crate::schema;

/// The form of `file_upload`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileUpload {
    /// The file, with its name; at most 4 MiB. Its extension must be allowed, and its content must
    /// be what the extension says.
    #[schemars(schema_with = "binary")]
    pub file: Vec<u8>,
    /// Whether the uploader gets a mail at the first complete download of each link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
}

fn binary(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "contentMediaType": "application/octet-stream" })
}

/// A file: the answer of `file_upload`, and an entry of `file_list`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileSummary {
    /// Identity.
    pub id: FileId,
    /// The name that the uploader gave it.
    pub filename: FileName,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, decided by extension and content.
    pub content_type: String,
    /// The SHA-256 of its bytes.
    pub sha256: ContentDigest,
    /// The uploader's name.
    pub uploaded_by: Username,
    /// When it was complete.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub uploaded_at: Timestamp,
    /// Whether the uploader gets a mail at the first complete download of each link. Only in the
    /// answer to the upload.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub notify: bool,
}

impl FileSummary {
    /// `file` as its uploader sees it.
    #[must_use]
    pub fn for_uploader(file: FileRecord) -> Self {
        Self {
            id: file.id,
            filename: file.filename,
            size: file.size,
            content_type: file.content_type,
            sha256: file.sha256,
            uploaded_by: file.uploaded_by,
            uploaded_at: file.uploaded_at,
            notify: file.notify,
        }
    }

    /// `file` as Clients see it: whether its uploader wants mail is none of their business.
    #[must_use]
    pub fn for_client(file: FileRecord) -> Self {
        Self { notify: false, ..Self::for_uploader(file) }
    }
}

/// An entry of `receipt_list`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ReceiptEntry {
    /// The receipt's very text, which is JSON; `null` when the stored text is not JSON any more.
    #[schemars(schema_with = "receipt")]
    pub receipt: Option<Box<RawValue>>,
    /// The SHA-256 of that text.
    pub hash: ContentDigest,
}

/// What is common to all receipts. `docs/one-time.md` describes the details of each event.
fn receipt(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["object", "null"],
        "required": ["link", "number", "previous", "at", "request_id", "event"],
        "properties": {
            "link": { "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" },
            "number": { "type": "integer", "minimum": 1 },
            "previous": { "type": ["string", "null"], "pattern": "^[0-9a-f]{64}$" },
            "at": { "type": "string", "format": "date-time" },
            "request_id": { "type": "string" },
            "event": {
                "type": "string",
                "enum": ["created", "redeemed", "resumed", "ended", "revoked"],
            },
        },
    })
}
