//! `multipart/form-data` (RFC 7578) with one file.

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;
use share_model::Invalid;

use crate::ApiError;

/// A file as a form carries it.
pub struct UploadedFile {
    /// The name that the form gives it, not yet checked.
    pub filename: String,
    /// Its bytes.
    pub content: Bytes,
}

/// The file in the part `name`. Other fields of the form are refused, as is a second file.
pub(crate) async fn file(
    name: &'static str,
    content_type: &str,
    body: Bytes,
) -> Result<UploadedFile, ApiError> {
    let malformed = |_| ApiError::MalformedMultipart;
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    // The gateway has already limited the body, and it is in memory as a whole.
    let stream = BodyDataStream::new(Full::new(body));
    let mut form = Multipart::new(stream, boundary);
    let mut found = None;
    while let Some(part) = form.next_field().await.map_err(malformed)? {
        let (part_name, filename) =
            (part.name().map(str::to_owned), part.file_name().map(str::to_owned));
        let content = part.bytes().await.map_err(malformed)?;
        match (part_name.as_deref(), filename) {
            (Some(part_name), Some(filename)) if part_name == name => {
                if found.replace(UploadedFile { filename, content }).is_some() {
                    return Err(ApiError::field(name, Invalid::because("must be one file only")));
                }
            }
            (Some(part_name), None) if part_name == name => {
                return Err(ApiError::field(name, Invalid::because("must be a file with a name")));
            }
            (other, _) => {
                let other: String = other.unwrap_or_default().chars().take(64).collect();
                let reason = Invalid::because("is not a field of this request");
                return Err(ApiError::field(&other, reason));
            }
        }
    }
    found.ok_or_else(|| ApiError::field(name, Invalid::because("is required")))
}
