//! `link_create`: a link that works once, or as often as its maker says.

use http::{Method, StatusCode};
use share_auth::OpaqueSecret;
use share_contract::settings::LinkSettings;
use share_contract::{ErrorCode, LinkCreated, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Fields, PublicUrl, Request, limit};
use share_model::limits::LINKS;
use share_model::{FileId, LinkLifetime, LinkNote, LinkTerms, MaxDownloads, link_protocol};
use share_store::{Files, Limits, Links, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct GenerateDownloadLink {
    authenticator: Authenticator,
    files: Files,
    links: Links,
    limits: Limits,
    public_url: PublicUrl,
    settings: LinkSettings,
}

/// Which file; the name that the caller believes it has, as a check; and what the link permits.
struct Input {
    file: FileId,
    filename: Option<String>,
    terms: LinkTerms,
}

impl Endpoint for GenerateDownloadLink {
    const NAME: &'static str = "GenerateDownloadLink";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::LINK_CREATE, &operations::LINK_CREATE_BY_ID];
    type Json = LinkCreated;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            links: Links::connect(platform)?,
            limits: Limits::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
            settings: LinkSettings::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<LinkCreated>, ApiError> {
        let client = self.authenticator.caller(request).await?; // 401, 403
        let input = self.input(request)?; // 400, 415, 422
        let file = self.files.available_to(&client, input.file, request.clock()).await?; // 503
        let file = file.ok_or(ErrorCode::FileUnknown)?; // 404
        if input.filename.as_ref().is_some_and(|name| name != file.filename.as_str()) {
            return Err(ErrorCode::FilenameMismatch.into()); // 409
        }
        let secret = OpaqueSecret::generate();
        let address = |path| {
            self.public_url.of(request, &format!("{path}?token={}", secret.reveal())) // 503
        };
        let (download_url, page_url) = (address("/api/file/download")?, address("/download")?);
        let (id, now) = (secret.link_id(), request.now());
        let (account, code) = (client.id.to_string(), ErrorCode::TooManyLinks);
        limit(&self.limits, &LINKS, &account, code, request).await?; // 429, 503
        let create = link_protocol::create(id, &client, &file, input.terms, now);
        let link = self.links.create(&create, request.id()).await?; // 503
        let made_by_get = request.method() == Method::GET;
        let status = if made_by_get { StatusCode::OK } else { StatusCode::CREATED };
        Ok(Answer::json(status, LinkCreated::new(link, download_url, page_url)))
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
            LinkLifetime::of_seconds(seconds, self.settings.max_lifetime)
        });
        let bind = fields.optional_flag("bind");
        let note = fields.optional("note", LinkNote::parse);
        let input = || {
            let terms = LinkTerms {
                max_downloads: max_downloads?.unwrap_or(MaxDownloads::ONE),
                lifetime: lifetime?.unwrap_or(self.settings.lifetime),
                bind: bind?.unwrap_or(false),
                note: note?,
            };
            Some(Input { file: file?, filename: filename?, terms })
        };
        fields.finish(input())
    }
}
