//! Uploads in parts, and imports.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{ContentDigest, FileId, FileName, rfc3339_millis};

use crate::{FileStateName, FileTerms, RejectionReason, schema};

/// The body of `upload_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct UploadRequest {
    /// Its name. The extension must be allowed, and the content must be what it says.
    pub filename: String,
    /// Its size in bytes; at most `MAX_FILE_BYTES`.
    #[schemars(range(min = 1, max = 5_497_558_138_880_u64))]
    pub size: u64,
    /// The SHA-256 of its bytes. When it is given, other bytes are not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<ContentDigest>,
    /// The rest.
    #[serde(flatten)]
    pub terms: FileTerms,
}

/// The answer of `upload_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UploadCreated {
    /// The upload, and the file that it becomes.
    pub upload_id: FileId,
    /// Bytes of each part but the last, which has what is left.
    pub part_size: u64,
    /// How many parts there are. They are numbered from 1.
    pub parts: u64,
    /// When the upload is given up.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
}

/// The body of `upload_sign_parts`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct PartsRequest {
    /// The parts that are to be sent, 1 to 1,000 of them.
    #[schemars(length(min = 1, max = 1000))]
    pub parts: Vec<PartToSign>,
}

/// A part that is to be sent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct PartToSign {
    /// Its number, from 1.
    #[schemars(range(min = 1, max = 10_000))]
    pub number: u32,
    /// The SHA-256 of its bytes.
    pub sha256: ContentDigest,
}

/// The answer of `upload_sign_parts`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PartsSigned {
    /// A request for each part, in the order of the body.
    pub parts: Vec<PartRequest>,
    /// The seconds for which they can be used. After a 403 of S3, ask again.
    pub expires_in: u64,
}

/// The request that brings a part: `PUT url` with these headers and just its bytes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PartRequest {
    /// The part.
    pub number: u32,
    /// How many bytes it has.
    pub size: u64,
    /// The address, in S3. No `Authorization` header must go there.
    #[schemars(schema_with = "schema::url")]
    pub url: String,
    /// The headers besides `Content-Length`.
    pub headers: BTreeMap<String, String>,
}

/// The answer of `upload_show`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct UploadStatus {
    /// The upload, and the file that it becomes.
    pub upload_id: FileId,
    /// What has become of it.
    pub state: FileStateName,
    /// Why it was not taken, when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<RejectionReason>,
    /// The file's name.
    pub filename: FileName,
    /// Its size in bytes; `null` while an import does not know it.
    pub size: Option<u64>,
    /// Bytes of each part but the last. Only while it is uploading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part_size: Option<u64>,
    /// How many parts there are. Only while it is uploading, and not of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<u64>,
    /// The parts that S3 has, by number. Only while it is uploading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub received: Option<Vec<PartReceived>>,
    /// When the upload is given up. Only while it is uploading.
    #[serde(default, with = "rfc3339_millis::optional", skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Option<Timestamp>,
}

/// A part that S3 has.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PartReceived {
    /// Its number.
    pub number: u32,
    /// How many bytes it has.
    pub size: u64,
    /// Their SHA-256, which S3 has computed.
    pub sha256: ContentDigest,
}

/// The JSON body of `file_upload`: an import that is waited for.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct FileFetch {
    /// Where the file is, as `url` of `import_create`.
    #[schemars(schema_with = "schema::url")]
    pub file_url: String,
    /// Its name; that which the source gives it when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The SHA-256 of its bytes. When it is given, other bytes are not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<ContentDigest>,
    /// The rest.
    #[serde(flatten)]
    pub terms: FileTerms,
}

/// The body of `import_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct ImportRequest {
    /// Where the file is. Its host must be one of `IMPORT_ALLOWED_HOSTS`. A link that Google Docs,
    /// Sheets, Slides or Drive gives to share a file works as well.
    #[schemars(schema_with = "schema::url")]
    pub url: String,
    /// Its name; that which the source gives it when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// The SHA-256 of its bytes. When it is given, other bytes are not taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<ContentDigest>,
    /// The rest.
    #[serde(flatten)]
    pub terms: FileTerms,
}
