//! Files and the receipts of their links.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use share_model::{
    ContentDigest, File, FileId, FileName, FileRecord, FileState, Invalid, LinkNote, Recipient,
    Recipients, Rejection, SealedReceipt, Username, rfc3339_millis,
};

use crate::schema;

/// The form of `file_upload`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileUpload {
    /// The file, with its name; at most 4 MiB. Its extension must be allowed, and its content must
    /// be what the extension says.
    #[schemars(schema_with = "binary")]
    pub file: Vec<u8>,
    /// Whom it is for: `everyone`, or names of Clients and e-mail addresses, at most 40, with commas
    /// between them. `DEFAULT_AUDIENCE` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<String>,
    /// Whether the recipients that are named get a mail once the file is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_recipients: Option<bool>,
    /// Seconds after which the file is deleted; `FILE_RETENTION_DAYS` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 315_360_000))]
    pub expires_in: Option<i64>,
    /// One line for Ops to remember. Clients do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<LinkNote>,
    /// Whether the uploader gets a mail at the first complete download of each link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
}

fn binary(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "contentMediaType": "application/octet-stream" })
}

/// What an uploader says of a file beside its name and bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct FileTerms {
    /// Whom it is for: `everyone`, or a list of at most 40 names of Clients and e-mail addresses.
    /// An address need not have an account yet. `DEFAULT_AUDIENCE` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<RecipientNames>,
    /// Whether the recipients that are named get a mail once the file is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_recipients: Option<bool>,
    /// Seconds after which the file is deleted; `FILE_RETENTION_DAYS` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 315_360_000))]
    pub expires_in: Option<i64>,
    /// One line for Ops to remember. Clients do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<LinkNote>,
    /// Whether the uploader gets a mail at the first complete download of each link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify: Option<bool>,
}

/// Whom a file is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RecipientNames {
    /// Every verified Client.
    Everyone(Everyone),
    /// These names of Clients, e-mail addresses, and groups such as `group:board`.
    Only(Vec<String>),
}

/// The word `everyone`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Everyone {
    /// Every verified Client.
    Everyone,
}

impl From<&Recipients> for RecipientNames {
    fn from(recipients: &Recipients) -> Self {
        match recipients {
            Recipients::Everyone => Self::Everyone(Everyone::Everyone),
            Recipients::Only(only) => Self::Only(only.iter().map(Recipient::to_text).collect()),
        }
    }
}

/// The order of a list of files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum FileSort {
    /// The newest first.
    #[default]
    #[serde(rename = "-uploaded_at")]
    Newest,
    /// The oldest first.
    #[serde(rename = "uploaded_at")]
    Oldest,
    /// By name.
    #[serde(rename = "filename")]
    Name,
    /// By name, backwards.
    #[serde(rename = "-filename")]
    NameBackwards,
}

impl FileSort {
    /// # Errors
    /// When the text names no order.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "-uploaded_at" => Ok(Self::Newest),
            "uploaded_at" => Ok(Self::Oldest),
            "filename" => Ok(Self::Name),
            "-filename" => Ok(Self::NameBackwards),
            _ => Err(Invalid::because(
                "must be uploaded_at, filename, or one of them after a minus sign",
            )),
        }
    }

    /// As a query says it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "-uploaded_at",
            Self::Oldest => "uploaded_at",
            Self::Name => "filename",
            Self::NameBackwards => "-filename",
        }
    }
}

/// The body of `file_change`. What is left out stays as it is.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct FileChange {
    /// Another name, with the same extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// Another note; an empty text for none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Seconds from now after which the file is deleted; 0 for never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 315_360_000))]
    pub expires_in: Option<i64>,
    /// Whom it is for, from the next request on. Links of others end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipients: Option<RecipientNames>,
    /// Whether the recipients that are added get a mail: now, or once the file is available.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_recipients: Option<bool>,
}

/// What has become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FileStateName {
    /// Its bytes are on their way.
    Uploading,
    /// Its bytes are complete and are being checked.
    Checking,
    /// Clients can have it.
    Available,
    /// It was not taken.
    Rejected,
    /// It was deleted, or its upload was aborted or given up.
    Deleted,
}

/// Why a file was not taken.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct RejectionReason {
    /// A stable code.
    pub code: Rejection,
    /// A sentence.
    pub detail: String,
}

/// A file as Ops see it: the answer of `file_show`, and an entry of `file_list_uploaded`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileDetails {
    /// Identity.
    pub id: FileId,
    /// The name that the uploader gave it.
    pub filename: FileName,
    /// Its size in bytes; `null` while an import does not know it.
    pub size: Option<u64>,
    /// What has become of it.
    pub state: FileStateName,
    /// Why it was not taken, when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectionReason>,
    /// Its media type, once it is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// The SHA-256 of its bytes, once it is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<ContentDigest>,
    /// The uploader's name.
    pub uploaded_by: Username,
    /// When it was announced, to the second.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
    /// When it became available, once it is.
    #[serde(default, with = "rfc3339_millis::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::moment")]
    pub uploaded_at: Option<Timestamp>,
    /// When it is deleted, when it has an end.
    #[serde(default, with = "rfc3339_millis::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Option<Timestamp>,
    /// Whom it is for.
    pub recipients: RecipientNames,
    /// Whether they get a mail once it is available.
    pub notify_recipients: bool,
    /// The uploader's note.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<LinkNote>,
    /// Whether the uploader gets a mail at the first complete download of each link.
    pub notify: bool,
    /// How many links to it there are, of those that are remembered.
    pub links: u64,
    /// How often these have been redeemed.
    pub downloads: u64,
}

impl FileDetails {
    /// `file` with these counts of links and downloads.
    #[must_use]
    pub fn new(file: File, links: u64, downloads: u64) -> Self {
        let content = match &file.state {
            FileState::Available(content) => Some(content.clone()),
            _ => None,
        };
        let reason = match &file.state {
            FileState::Rejected(rejected) => Some(RejectionReason {
                code: rejected.reason,
                detail: rejected.detail.clone().unwrap_or_else(|| rejected.reason.to_string()),
            }),
            _ => None,
        };
        Self {
            id: file.id,
            state: match file.state {
                FileState::Uploading(_) => FileStateName::Uploading,
                FileState::Checking(_) => FileStateName::Checking,
                FileState::Available(_) => FileStateName::Available,
                FileState::Rejected(_) => FileStateName::Rejected,
                FileState::Deleted(_) => FileStateName::Deleted,
            },
            reason,
            content_type: content.as_ref().map(|content| content.content_type.clone()),
            sha256: content.as_ref().map(|content| content.sha256),
            uploaded_at: content.map(|content| content.uploaded_at),
            created_at: file.id.born_at(),
            recipients: RecipientNames::from(&file.recipients),
            filename: file.filename,
            size: file.size,
            uploaded_by: file.uploaded_by,
            expires_at: file.expires_at,
            notify_recipients: file.notify_recipients,
            note: file.note,
            notify: file.notify,
            links,
            downloads,
        }
    }
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
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ReceiptEntry {
    /// The receipt's very text, which is JSON; `null` when the stored text is not JSON any more.
    #[schemars(schema_with = "receipt")]
    pub receipt: Option<Box<RawValue>>,
    /// The SHA-256 of that text.
    pub hash: ContentDigest,
}

impl From<SealedReceipt> for ReceiptEntry {
    fn from(sealed: SealedReceipt) -> Self {
        // What is not JSON any more has been tampered with, and must not just be missing.
        Self { receipt: RawValue::from_string(sealed.text).ok(), hash: sealed.hash }
    }
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
                "enum": ["created", "redeemed", "resumed", "ended", "revoked", "erased"],
            },
        },
    })
}
