//! `multipart/form-data` (RFC 7578) with one file.

use bytes::Bytes;
use http_body_util::{BodyDataStream, Full};
use multer::Multipart;
use serde_json::{Map, Value};
use share_contract::ErrorCode;
use share_model::Invalid;

use crate::{ApiError, Fields};

/// A file as a form carries it, in the part `file`.
pub struct UploadForm {
    /// The name that the form gives it, not yet checked.
    pub filename: String,
    /// Its bytes.
    pub content: Bytes,
    /// The other parts, which are texts, as fields of JSON. A file that is missing is noted there.
    pub fields: Fields,
}

/// Reads the form. Fields that it does not have are refused, as is a second one of a name.
pub(crate) async fn read(content_type: &str, body: Bytes) -> Result<UploadForm, ApiError> {
    let malformed = |_| ApiError::from(ErrorCode::MalformedMultipart);
    let boundary = multer::parse_boundary(content_type).map_err(malformed)?;
    // The gateway has already limited the body, and it is in memory as a whole.
    let stream = BodyDataStream::new(Full::new(body));
    let mut form = Multipart::new(stream, boundary);
    let mut file = None;
    let mut fields = Map::new();
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
            (Some(name), None) => {
                let text = String::from_utf8(content.into())
                    .map_err(|_| refusal(name, "must be a text in UTF-8"))?;
                let value = as_json(name, text);
                if fields.insert(name.to_owned(), value).is_some() {
                    return Err(refusal(name, "must be given once only"));
                }
            }
            (other, _) => return Err(refusal(other.unwrap_or_default(), "must be a text")),
        }
    }
    let mut fields = Fields::new(fields);
    fields.know("file");
    let (filename, content) = file.unwrap_or_else(|| {
        // Told with whatever else is wrong.
        fields.refuse("file", "is required");
        Default::default()
    });
    Ok(UploadForm { filename, content, fields })
}

/// A text of a form as the JSON that the same field has elsewhere, where it can be.
fn as_json(name: &str, text: String) -> Value {
    match name {
        "notify" | "notify_recipients" => text.parse().map_or(Value::String(text), Value::Bool),
        "expires_in" => text.parse::<i64>().map_or(Value::String(text), Value::from),
        "recipients" if text != "everyone" => {
            let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.map(Value::from).collect()
        }
        _ => Value::String(text),
    }
}

fn refusal(field: &str, reason: &str) -> ApiError {
    // The name comes from outside and goes back into the answer: keep it short.
    let field: String = field.chars().take(64).collect();
    ApiError::field(&field, Invalid::because(reason))
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
    async fn a_form_has_one_file_and_texts_which_become_fields() {
        let only_file = form(&[FILE]).await.unwrap();
        assert_eq!((only_file.filename.as_str(), &*only_file.content), ("a.txt", &b"content"[..]));
        for (text, notify) in [("true", true), ("false", false)] {
            let mut fields = form(&[("; name=\"notify\"", text), FILE]).await.unwrap().fields;
            assert_eq!(fields.optional_flag("notify"), Some(Some(notify)));
        }
        let parts = [
            ("; name=\"recipients\"", "anna, ben@example.com"),
            ("; name=\"expires_in\"", "3600"),
            ("; name=\"note\"", "12"),
            FILE,
        ];
        let mut fields = form(&parts).await.unwrap().fields;
        let recipients = fields.optional_value("recipients", Ok).flatten();
        assert_eq!(recipients, Some(serde_json::json!(["anna", "ben@example.com"])));
        assert_eq!(fields.optional_number("expires_in", Ok), Some(Some(3600)));
        let note = fields.optional("note", |text| Ok(text.to_owned()));
        assert_eq!(note, Some(Some("12".to_owned())));
        assert!(fields.finish(Some(())).is_ok());
    }

    #[tokio::test]
    async fn other_forms_are_refused_with_the_field_that_is_wrong() {
        let notify = ("; name=\"notify\"", "true");
        for (parts, said) in [
            (&[][..], "file is required"),
            (&[notify], "file is required"),
            (&[FILE, FILE], "file must be one file only"),
            (&[("; name=\"file\"", "content")], "file must be a file with a name"),
            (&[FILE, notify, notify], "notify must be given once only"),
            (&[FILE, ("; name=\"a\"; filename=\"b\"", "1")], "a must be a text"),
        ] {
            let refusal = match form(parts).await {
                Ok(form) => form.fields.finish(Some(())).unwrap_err(),
                Err(refusal) => refusal,
            };
            let sentence = refusal.sentence();
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
