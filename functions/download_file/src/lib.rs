//! `GET /api/file/download?token=`: the file, for exactly one of all who ask with this token.
//!
//! HEAD, and the page that a browser gets, tell about the file and spend nothing; the page's
//! button POSTs. So a mail scanner or a link preview leaves the link as it is.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use jiff::Timestamp;
use share_api::{ApiError, Endpoint, Metric, Page, Request, Response, bytes, redirect, stream};
use share_auth::PlainToken;
use share_model::{AuditAction, FileRecord, Invalid, Role, attachment};
use share_store::{
    Audit, Files, Objects, Platform, StartError, TokenKind, TokenRecord, Tokens, Users,
};

/// The largest file that a buffered answer holds: Lambda's 6 MB, of which base64 takes a quarter,
/// less room for the headers.
const BUFFERED_LIMIT_BYTES: u64 = 4_600_000;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DownloadFile {
    users: Users,
    files: Files,
    tokens: Tokens,
    objects: Objects,
    audit: Audit,
    delivery: Delivery,
    /// The largest file that is streamed. Lambda ends a stream at 200 MB; the local server has no
    /// such limit.
    stream_limit_bytes: u64,
}

/// How bytes reach the client (`DOWNLOAD_DELIVERY`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Delivery {
    Stream,
    Buffered,
    Presigned,
}

impl Endpoint for DownloadFile {
    const SUCCESS: Option<Metric> = Some(Metric::LinkUsed);

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let environment = platform.environment();
        Ok(Self {
            users: Users::connect(platform)?,
            files: Files::connect(platform)?,
            tokens: Tokens::connect(platform)?,
            objects: Objects::connect(platform)?,
            audit: Audit::connect(platform)?,
            delivery: environment.parsed("DOWNLOAD_DELIVERY", "stream", Delivery::parse)?,
            stream_limit_bytes: environment.parsed("STREAM_LIMIT_BYTES", "209000000", |text| {
                text.parse().map_err(|_| Invalid::because("must be a number of bytes"))
            })?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        request.refuse_prefetch()?; // 403
        let token = self.token(request).await?; // 400, 404, 410
        let file = self.file(&token).await?; // 410
        if request.method() == Method::HEAD {
            return Ok(bytes(headers(&file), Bytes::new()));
        }
        if request.method() == Method::GET && request.wants_page() {
            return Ok(page(&file, &token));
        }
        // Open first, spend second, send third: what cannot be served is not spent.
        let response = self.open(&file).await?; // 410, 503
        let event = request.audit(AuditAction::LinkRedeemed, file.id, token.user_id);
        if !self.tokens.spend(&token, request.now(), vec![self.audit.entry(&event)?]).await? {
            return Err(ApiError::LinkUsed); // 410
        }
        Ok(response)
    }
}

impl DownloadFile {
    async fn token(&self, request: &Request) -> Result<TokenRecord, ApiError> {
        let token = PlainToken::parse(request.required_query("token")?);
        let token = token.map_err(|_| ApiError::LinkUnknown)?;
        let found = self.tokens.find(&token.hash(), TokenKind::Download, request.now()).await?;
        found.live(ApiError::LinkExpired, ApiError::LinkUsed, ApiError::LinkUnknown)
    }

    async fn file(&self, token: &TokenRecord) -> Result<FileRecord, ApiError> {
        // Who has been switched off, or is no client any more, has no links either.
        let owner = self.users.by_id(token.user_id).await?;
        let client = owner.filter(|owner| owner.active && owner.role == Role::Client);
        client.ok_or(ApiError::LinkRevoked)?;
        let id = token.file_id.ok_or(ApiError::LinkUnknown)?;
        self.files.on_shelf(id).await?.ok_or(ApiError::FileGone)
    }

    /// The answer with the file's bytes at hand. Nothing has been sent yet.
    async fn open(&self, file: &FileRecord) -> Result<Response, ApiError> {
        let response = match self.delivery_of(file) {
            Delivery::Stream => {
                let body = self.objects.open(file).await?;
                body.map(|body| stream(headers(file), body.into_inner()))
            }
            Delivery::Buffered => {
                let body = self.objects.read(file).await?;
                body.map(|body| bytes(headers(file), body))
            }
            Delivery::Presigned => self.objects.presign(file).await?.map(|url| redirect(&url)),
        };
        response.ok_or(ApiError::FileGone)
    }

    /// Files that do not fit go by presigned URL.
    fn delivery_of(&self, file: &FileRecord) -> Delivery {
        match self.delivery {
            Delivery::Stream if file.size > self.stream_limit_bytes => Delivery::Presigned,
            Delivery::Buffered if file.size > BUFFERED_LIMIT_BYTES => Delivery::Presigned,
            fits => fits,
        }
    }
}

impl Delivery {
    fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "stream" => Ok(Self::Stream),
            "buffered" => Ok(Self::Buffered),
            "presigned" => Ok(Self::Presigned),
            _ => Err(Invalid::because("must be stream, buffered or presigned")),
        }
    }
}

/// What a browser shows for the link. The form goes back to the page's own address.
fn page(file: &FileRecord, token: &TokenRecord) -> Response {
    let expires = Timestamp::from_second(token.expires_at).unwrap_or_default();
    let content = format!(
        "<dl><dt>Size</dt><dd>{} bytes</dd><dt>SHA-256</dt><dd>{}</dd>\
         <dt>Link ends</dt><dd>{}</dd></dl>\n\
         <form method=\"post\"><button>Download</button></form>\n\
         <p><small>The link works once.</small></p>",
        file.size,
        file.sha256.hex(),
        expires.strftime("%-d %B %Y, %H:%M UTC"),
    );
    Page { title: file.filename.as_str().to_owned(), content }.respond(StatusCode::OK)
}

fn headers(file: &FileRecord) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        (header::CONTENT_TYPE, file.content_type.clone()),
        (header::CONTENT_LENGTH, file.size.to_string()),
        (header::CONTENT_DISPOSITION, attachment(&file.filename)),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
        (header::ETAG, format!("\"{}\"", file.sha256.hex())),
        // RFC 9530: so that a stream that breaks off, or changes, is noticed.
        (HeaderName::from_static("repr-digest"), format!("sha-256=:{}:", file.sha256.base64())),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}
