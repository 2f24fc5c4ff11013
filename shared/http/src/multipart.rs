//! `multipart/form-data` (RFC 7578) with one file.

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;
use share_contract::ErrorCode;
use share_model::Invalid;

use crate::ApiError;

/// A file as a form carries it, in the part `file`.
pub struct UploadForm {
    /// The name that the form gives it, not yet checked.
    pub filename: String,
    /// Its bytes.
    pub content: Bytes,
    /// Whether the uploader gets a mail at the first complete download of each link: the part
    /// `notify`, `true` or `false`.
    pub notify: bool,
}

/// Reads the form. Fields that it does not have are refused, as is a second one of a name.
pub(crate) async fn read(content_type: &str, body: Bytes) -> Result<UploadForm, ApiError> {
    let malformed = |_| ApiError::from(ErrorCode::MalformedMultipart);
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    // The gateway has already limited the body, and it is in memory as a whole.
    let stream = BodyDataStream::new(Full::new(body));
    let mut form = Multipart::new(stream, boundary);
    let (mut file, mut notify) = (None, None);
    while let Some(part) = form.next_field().await.map_err(malformed)? {
        let (name, filename) =
            (part.name().map(str::to_owned), part.file_name().map(str::to_owned));
        let content = part.bytes().await.map_err(malformed)?;
        match (name.as_deref(), filename) {
            (Some("file"), Some(filename)) => {
                if file.replace((filename, content)).is_some() {
                    return Err(refusal("file", "must be one file only"));
                }
            }
            (Some("file"), None) => return Err(refusal("file", "must be a file with a name")),
            (Some("notify"), None) => {
                let flag = match &*content {
                    b"true" => true,
                    b"false" => false,
                    _ => return Err(refusal("notify", "must be true or false")),
                };
                if notify.replace(flag).is_some() {
                    return Err(refusal("notify", "must be given once only"));
                }
            }
            (other, _) => {
                let other: String = other.unwrap_or_default().chars().take(64).collect();
                return Err(refusal(
                    &other,
                    "is not a field of this request, which takes file, notify",
                ));
            }
        }
    }
    let (filename, content) = file.ok_or_else(|| refusal("file", "is required"))?;
    Ok(UploadForm { filename, content, notify: notify.unwrap_or(false) })
}

fn refusal(field: &str, reason: &str) -> ApiError {
    ApiError::field(field, Invalid::because(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts, each with the rest of its `Content-Disposition` and its content.
    async fn form(parts: &[(&str, &str)]) -> Result<UploadForm, ApiError> {
        let part = |(disposition, content): &(&str, &str)| {
            format!("--x\r\nContent-Disposition: form-data{disposition}\r\n\r\n{content}\r\n")
        };
        let body = parts.iter().map(part).collect::<String>() + "--x--\r\n";
        read("multipart/form-data; boundary=x", body.into()).await
    }

    const FILE: (&str, &str) = ("; name=\"file\"; filename=\"a.txt\"", "content");

    #[tokio::test]
    async fn a_form_has_one_file_and_may_ask_for_a_notice() {
        let only_file = form(&[FILE]).await.unwrap();
        assert_eq!((only_file.filename.as_str(), &*only_file.content), ("a.txt", &b"content"[..]));
        assert!(!only_file.notify);
        assert!(form(&[("; name=\"notify\"", "true"), FILE]).await.unwrap().notify);
        assert!(!form(&[FILE, ("; name=\"notify\"", "false")]).await.unwrap().notify);
    }

    #[tokio::test]
    async fn other_forms_are_refused_with_the_field_that_is_wrong() {
        let notify = ("; name=\"notify\"", "true");
        for (parts, said) in [
            (&[][..], "file is required"),
            (&[notify], "file is required"),
            (&[FILE, FILE], "file must be one file only"),
            (&[("; name=\"file\"", "content")], "file must be a file with a name"),
            (&[FILE, ("; name=\"notify\"", "yes")], "notify must be true or false"),
            (&[FILE, notify, notify], "notify must be given once only"),
            (&[FILE, ("; name=\"is_admin\"", "1")], "is_admin is not a field of this request"),
        ] {
            let sentence = form(parts).await.map(|_| ()).unwrap_err().sentence();
            assert!(sentence.contains(said), "{said}: {sentence}");
        }
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_or_has_no_boundary_is_malformed() {
        for (content_type, body) in [
            ("multipart/form-data", "--x--\r\n"),
            ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"f"),
        ] {
            let error = read(content_type, body.into()).await.map(|_| ()).unwrap_err();
            assert_eq!(error.code(), ErrorCode::MalformedMultipart, "{body}");
        }
    }
}
