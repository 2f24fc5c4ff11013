//! `POST /api/files/generate-download-link/{file_id}`: a link that works once.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use share_api::{ApiError, Callers, Endpoint, Fields, PublicUrl, Request, Response, json};
use share_auth::PlainToken;
use share_model::{AuditAction, FileId, FileName, LinkLifetime, Role, rfc3339_millis};
use share_store::{Audit, Files, Platform, StartError, TokenKind, TokenRecord, Tokens};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct GenerateDownloadLink {
    callers: Callers,
    files: Files,
    tokens: Tokens,
    audit: Audit,
    public_url: PublicUrl,
    lifetime: LinkLifetime,
}

/// Which file; and the name that the caller believes it has, as a check.
struct Input {
    file: FileId,
    filename: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    download_url: String,
    file_id: FileId,
    filename: FileName,
    #[serde(with = "rfc3339_millis")]
    expires_at: Timestamp,
    one_time: bool,
}

impl Endpoint for GenerateDownloadLink {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let environment = platform.environment();
        Ok(Self {
            callers: Callers::connect(platform).await?,
            files: Files::connect(platform)?,
            tokens: Tokens::connect(platform)?,
            audit: Audit::connect(platform)?,
            public_url: PublicUrl::from_environment(environment)?,
            lifetime: environment.parsed("LINK_TTL_SECONDS", "3600", LinkLifetime::parse)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let client = self.callers.require(Role::Client, request).await?; // 401, 403
        let input = Input::read(request)?; // 400, 415, 422
        let file = self.files.on_shelf(input.file).await?.ok_or(ApiError::FileUnknown)?; // 404
        if input.filename.is_some_and(|name| name != file.filename.as_str()) {
            return Err(ApiError::FilenameMismatch); // 409
        }
        let token = PlainToken::generate();
        let expires_at = self.lifetime.end(request.now());
        let record = TokenRecord {
            token_hash: token.hash(),
            kind: TokenKind::Download,
            user_id: client.id,
            file_id: Some(file.id),
            expires_at: expires_at.as_second(),
        };
        let event = request.audit(AuditAction::LinkCreated, file.id, client.id);
        let path = format!("/api/file/download?token={}", token.reveal());
        let answer = Answer {
            download_url: self.public_url.of(request, &path)?,
            file_id: file.id,
            filename: file.filename,
            expires_at,
            one_time: true,
        };
        self.tokens.issue(&record, vec![self.audit.entry(&event)?]).await?; // 503
        let made =
            if request.method() == Method::GET { StatusCode::OK } else { StatusCode::CREATED };
        Ok(json(made, &answer))
    }
}

impl Input {
    fn read(request: &Request) -> Result<Self, ApiError> {
        let in_path = request.path_parameter("file_id", str::parse::<FileId>)?;
        // A GET has no body that counts; with the id in the path a POST need not have one.
        let bodiless = request.method() == Method::GET || request.is_empty();
        match in_path {
            Some(file) if bodiless => Ok(Self { file, filename: None }),
            Some(file) => {
                let mut fields = request.json()?;
                let filename = read_filename(&mut fields);
                fields.finish(filename.map(|filename| Self { file, filename }))
            }
            None => {
                let mut fields = request.json()?;
                let file = fields.required("file_id", str::parse::<FileId>);
                let filename = read_filename(&mut fields);
                let input = || Some(Self { file: file?, filename: filename? });
                fields.finish(input())
            }
        }
    }
}

#[expect(clippy::option_option, reason = "as Fields::optional: wrong, absent, given")]
fn read_filename(fields: &mut Fields) -> Option<Option<String>> {
    fields.optional("filename", |text| Ok(text.to_owned()))
}
