//! Download links.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use share_model::{
    ContentDigest, FileId, FileName, Link, LinkId, LinkNote, LinkState, MaxDownloads,
    rfc3339_millis,
};

use crate::schema;

/// The body of `link_create`: what the link permits.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct LinkRequest {
    /// The name that the caller believes the file has. Another one is a 409.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
    /// How often the link can be redeemed; once when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_downloads: Option<MaxDownloads>,
    /// Seconds for which the link can be redeemed; at most `LINK_MAX_TTL_SECONDS`, and
    /// `LINK_TTL_SECONDS` when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 60, max = 604_800))]
    pub expires_in: Option<i64>,
    /// Whether a download also needs the access token of the Client that makes the link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind: Option<bool>,
    /// One line for the Client to remember. Ops read it in the receipts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<LinkNote>,
}

/// The body of `link_create_by_id`: the file, and what the link permits.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("additionalProperties" = false))]
pub struct FileLinkRequest {
    /// The file.
    pub file_id: FileId,
    /// What the link permits.
    #[serde(flatten)]
    pub terms: LinkRequest,
}

/// The answer of `link_create`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LinkCreated {
    /// The link's identity. It names the link and cannot redeem it.
    pub id: LinkId,
    /// The address of the file for programs, with the secret that redeems the link: a `GET` does.
    #[schemars(schema_with = "schema::url")]
    pub download_url: String,
    /// The address of the link's page for people, with the same secret. To open it redeems nothing;
    /// its button does.
    #[schemars(schema_with = "schema::url")]
    pub page_url: String,
    /// The file.
    pub file_id: FileId,
    /// The file's name.
    pub filename: FileName,
    /// The first moment at which the link can no longer be redeemed.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
    /// Whether the link can be redeemed once.
    pub one_time: bool,
    /// How often it can be redeemed.
    pub max_downloads: MaxDownloads,
    /// Whether a download also needs the access token of the Client that made the link.
    pub bind: bool,
    /// The Client's note.
    pub note: Option<LinkNote>,
}

impl LinkCreated {
    /// `link`, which `download_url` and the button under `page_url` redeem.
    #[must_use]
    pub fn new(link: Link, download_url: String, page_url: String) -> Self {
        Self {
            id: link.id,
            download_url,
            page_url,
            file_id: link.file_id,
            filename: link.filename,
            expires_at: link.expires_at,
            one_time: link.max_downloads == MaxDownloads::ONE,
            max_downloads: link.max_downloads,
            bind: link.bind,
            note: link.note,
        }
    }
}

/// The answer of `download_show` for a program: what a link leads to, and what is left of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DownloadDetails {
    /// The file's name.
    pub filename: FileName,
    /// The file's bytes.
    pub size: u64,
    /// The SHA-256 of the file, in hexadecimal digits.
    pub sha256: ContentDigest,
    /// The first moment at which the link can no longer be redeemed.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
    /// How often it can be redeemed.
    pub max_downloads: MaxDownloads,
    /// How often it has been redeemed.
    pub downloads: u32,
    /// Whether a download also needs the access token of the Client that made the link.
    pub bind: bool,
    /// What `file_download` takes as `lease`, so that a browser redeems the link no more than once more.
    pub lease: u32,
    /// When the caller's lease of the link ends. Without one, the next download redeems the link.
    #[serde(with = "rfc3339_millis::optional", skip_serializing_if = "Option::is_none", default)]
    #[schemars(schema_with = "schema::moment")]
    pub lease_ends_at: Option<Timestamp>,
    /// Whether the bytes come from S3, so that a download of them cannot be resumed here.
    pub presigned: bool,
}

/// An answer of `file_download`: where the bytes are, when S3 gives them.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FileLocation {
    /// The address at which S3 gives the file to anyone. A request for it must not bring an
    /// `Authorization` header.
    #[schemars(schema_with = "schema::url")]
    pub url: String,
    /// The seconds for which it does.
    pub expires_in: u64,
}

/// An entry of `link_list`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct LinkSummary {
    /// The link's identity. It names the link and cannot redeem it.
    pub id: LinkId,
    /// The file.
    pub file_id: FileId,
    /// The file's name.
    pub filename: FileName,
    /// What has become of the link.
    pub state: LinkState,
    /// When it was made.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub created_at: Timestamp,
    /// The first moment at which it can no longer be redeemed.
    #[serde(with = "rfc3339_millis")]
    #[schemars(schema_with = "schema::moment")]
    pub expires_at: Timestamp,
    /// How often it can be redeemed.
    pub max_downloads: MaxDownloads,
    /// How often it has been redeemed.
    pub downloads: u32,
    /// Whether a download also needs the access token of the Client that made it.
    pub bind: bool,
    /// The Client's note.
    pub note: Option<LinkNote>,
}

impl LinkSummary {
    /// `link` as it is at `now`.
    #[must_use]
    pub fn new(link: Link, now: Timestamp) -> Self {
        let state = link.state(now);
        Self {
            id: link.id,
            file_id: link.file_id,
            filename: link.filename,
            state,
            created_at: link.created_at,
            expires_at: link.expires_at,
            max_downloads: link.max_downloads,
            downloads: link.downloads,
            bind: link.bind,
            note: link.note,
        }
    }
}
