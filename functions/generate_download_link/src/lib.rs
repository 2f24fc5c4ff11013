//! `POST /api/files/generate-download-link/{file_id}`: a link that works once, or as often as its
//! maker says.

use http::{Method, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use share_api::{ApiError, Authenticator, Endpoint, Fields, PublicUrl, Request, Response, json};
use share_auth::OpaqueSecret;
use share_model::{
    ChainHead, FileId, FileName, FileRecord, Invalid, Link, LinkId, LinkLifetime, LinkNote,
    MaxDownloads, ReceiptEvent, Role, SettingError, User, rfc3339_millis,
};
use share_store::{Files, Links, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct GenerateDownloadLink {
    authenticator: Authenticator,
    files: Files,
    links: Links,
    public_url: PublicUrl,
    lifetime: LinkLifetime,
    max_lifetime: LinkLifetime,
}

/// Which file; the name that the caller believes it has, as a check; and what the link permits.
struct Input {
    file: FileId,
    filename: Option<String>,
    max_downloads: MaxDownloads,
    lifetime: LinkLifetime,
    bind: bool,
    note: Option<LinkNote>,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a LinkId,
    download_url: String,
    file_id: FileId,
    filename: &'a FileName,
    #[serde(with = "rfc3339_millis")]
    expires_at: Timestamp,
    one_time: bool,
    max_downloads: MaxDownloads,
    bind: bool,
    note: Option<&'a LinkNote>,
}

impl Endpoint for GenerateDownloadLink {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let environment = platform.environment();
        let lifetime = environment.parsed("LINK_TTL_SECONDS", "3600", LinkLifetime::parse)?;
        let max_lifetime =
            environment.parsed("LINK_MAX_TTL_SECONDS", "604800", LinkLifetime::parse)?;
        if lifetime > max_lifetime {
            let reason = Invalid::because("must not be more than LINK_MAX_TTL_SECONDS");
            return Err(SettingError::Invalid { name: "LINK_TTL_SECONDS", reason }.into());
        }
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            links: Links::connect(platform)?,
            public_url: PublicUrl::from_environment(environment)?,
            lifetime,
            max_lifetime,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let client = self.authenticator.require(Role::Client, request).await?; // 401, 403
        let input = self.input(request)?; // 400, 415, 422
        let file = self.files.on_shelf(input.file).await?.ok_or(ApiError::FileUnknown)?; // 404
        if input.filename.as_ref().is_some_and(|name| name != file.filename.as_str()) {
            return Err(ApiError::FilenameMismatch); // 409
        }
        let token = OpaqueSecret::generate();
        let link = Link {
            id: token.link_id(),
            user_id: client.id,
            file_id: file.id,
            filename: file.filename.clone(),
            created_at: request.now(),
            expires_at: input.lifetime.end(request.now()),
            max_downloads: input.max_downloads,
            downloads: 0,
            bind: input.bind,
            note: input.note,
            revoked_at: None,
            notified: false,
            chain: ChainHead::default(),
        };
        let path = format!("/api/file/download?token={}", token.reveal());
        let answer = Answer {
            id: &link.id,
            download_url: self.public_url.of(request, &path)?,
            file_id: link.file_id,
            filename: &link.filename,
            expires_at: link.expires_at,
            one_time: link.max_downloads == MaxDownloads::ONE,
            max_downloads: link.max_downloads,
            bind: link.bind,
            note: link.note.as_ref(),
        };
        self.links.create(&link, created(&link, &file, &client), request.context()).await?; // 503
        let made =
            if request.method() == Method::GET { StatusCode::OK } else { StatusCode::CREATED };
        Ok(json(made, &answer))
    }
}

impl GenerateDownloadLink {
    fn input(&self, request: &Request) -> Result<Input, ApiError> {
        let in_path = request.path_parameter("file_id", str::parse::<FileId>)?;
        // A GET has no body that counts; with the id in the path a POST need not have one.
        let bodiless = request.method() == Method::GET || request.is_empty();
        let mut fields = match in_path {
            Some(_) if bodiless => Fields::default(),
            _ => request.json()?,
        };
        let file = in_path.or_else(|| fields.required("file_id", str::parse::<FileId>));
        let filename = fields.optional("filename", |text| Ok(text.to_owned()));
        let max_downloads = fields.optional_number("max_downloads", MaxDownloads::new);
        let lifetime = fields.optional_number("expires_in", |seconds| {
            LinkLifetime::of_seconds(seconds, self.max_lifetime)
        });
        let bind = fields.optional_flag("bind");
        let note = fields.optional("note", LinkNote::parse);
        let input = || {
            Some(Input {
                file: file?,
                filename: filename?,
                max_downloads: max_downloads?.unwrap_or(MaxDownloads::ONE),
                lifetime: lifetime?.unwrap_or(self.lifetime),
                bind: bind?.unwrap_or(false),
                note: note?,
            })
        };
        fields.finish(input())
    }
}

/// The first receipt of a link.
fn created(link: &Link, file: &FileRecord, client: &User) -> ReceiptEvent {
    ReceiptEvent::Created {
        file_id: file.id,
        sha256: file.sha256,
        size: file.size,
        user_id: client.id,
        username: client.username.clone(),
        expires_at: link.expires_at,
        max_downloads: link.max_downloads,
        bind: link.bind,
        note: link.note.clone(),
    }
}
