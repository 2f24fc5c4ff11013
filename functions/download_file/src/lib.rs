//! `GET /api/file/download?token=`: the file, for exactly as many of all who ask with this token as
//! the link says.
//!
//! HEAD, and the page that a browser gets, tell about the file and spend nothing; the page's
//! button POSTs. So a mail scanner or a link preview leaves the link as it is.
//!
//! Who redeems the link gets a lease, with which the same request continues a download that has
//! broken off. `docs/one-time.md` says what holds after each way to fail.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use share_api::{
    ApiError, Authenticator, Body, Endpoint, HtmlPage, Metric, Request, Response, empty,
    log_failure, read_lease, redirect, reporting, send_lease, set_lease_cookie, whole,
};
use share_auth::OpaqueSecret;
use share_model::{
    Admission, ByteRange, DownloadRequest, FileRecord, Invalid, LeaseTerms, Link, RangeRequest,
    Role, TransferOutcome, User, attachment,
};
use share_store::{
    Files, LinkAndLease, Links, Mail, Mailer, Objects, Platform, RequestContext, Sent, StartError,
    StoreError, Transfer, Users,
};

/// The largest file that a buffered answer holds: Lambda's 6 MB, of which base64 takes a quarter,
/// less room for the headers.
const BUFFERED_LIMIT_BYTES: u64 = 4_600_000;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DownloadFile {
    authenticator: Authenticator,
    users: Users,
    files: Files,
    links: Links,
    objects: Objects,
    mailer: Mailer,
    lease_terms: LeaseTerms,
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

/// What a request has to do with a link.
struct Visit {
    presented: LinkAndLease,
    /// The lease that the request brings, whether or not the link knows it yet.
    lease: Option<OpaqueSecret>,
    /// Who made the link.
    client: User,
    file: FileRecord,
}

/// The bytes at hand, or where they are.
enum Opened {
    Body(Body),
    Elsewhere(String),
}

impl Endpoint for DownloadFile {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let environment = platform.environment();
        let lifetime = LeaseTerms::parse_lifetime;
        let grace = LeaseTerms::parse_grace;
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            files: Files::connect(platform)?,
            links: Links::connect(platform)?,
            objects: Objects::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            lease_terms: LeaseTerms {
                lifetime: environment.parsed("LEASE_TTL_SECONDS", "600", lifetime)?,
                grace: environment.parsed("LEASE_GRACE_SECONDS", "60", grace)?,
            },
            delivery: environment.parsed("DOWNLOAD_DELIVERY", "stream", Delivery::parse)?,
            stream_limit_bytes: environment.parsed("STREAM_LIMIT_BYTES", "209000000", |text| {
                text.parse().map_err(|_| Invalid::because("must be a number of bytes"))
            })?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        request.refuse_prefetch()?; // 403
        let looks = request.method() == Method::GET && request.wants_page();
        let visit = self.visit(request, looks).await?; // 400, 401, 403, 404, 410
        if request.method() == Method::HEAD {
            return Ok(with_headers(empty(StatusCode::OK), headers(&visit.file, None)));
        }
        // A browser that asks for a part continues its download. Without a lease it is a preview.
        let continues = visit.presented.lease.is_some() && request.header(header::RANGE).is_some();
        if looks && !continues {
            return Ok(page(&visit, request.now()));
        }
        let part = part(request, &visit.file)?; // 416
        // Open first, spend second, send third: what cannot be served is not spent.
        let opened = self.open(request, &visit.file, part).await?; // 410, 503
        self.deliver(request, visit, part, opened).await // 410
    }
}

impl DownloadFile {
    /// Everything that must hold before the link is spent. Somebody who only `looks` is not told
    /// that a lease has ended when the link can be redeemed once more.
    async fn visit(&self, request: &Request, looks: bool) -> Result<Visit, ApiError> {
        let token = OpaqueSecret::parse(request.required_query("token")?);
        let token = token.map_err(|_| ApiError::LinkUnknown)?;
        let id = token.link_id();
        let mut lease = read_lease(request, &id)?;
        let hash = lease.as_ref().map(OpaqueSecret::hash);
        let found = self.links.find(&id, hash.as_ref()).await?;
        let mut presented = found.ok_or(ApiError::LinkUnknown)?;
        let link = &presented.link;
        let mut client = None;
        if link.bind {
            let caller = self.authenticator.require(Role::Client, request).await?;
            client = Some(caller).filter(|caller| caller.id == link.user_id);
            if client.is_none() {
                return Err(ApiError::LinkBound);
            }
        }
        if looks && presented.lease.as_ref().is_some_and(|lease| !lease.is_live(request.now())) {
            (presented.lease, lease) = (None, None);
        }
        presented.link.admit(presented.lease.as_ref(), request.now())?;
        if client.is_none() {
            client = self.users.by_id(presented.link.user_id).await?;
        }
        // Who has been switched off, or is no client any more, has no links either.
        let client = client.filter(|owner| owner.active && owner.role == Role::Client);
        let client = client.ok_or(ApiError::LinkRevoked)?;
        let file = self.files.on_shelf(presented.link.file_id).await?.ok_or(ApiError::FileGone)?;
        Ok(Visit { presented, lease, client, file })
    }

    /// The bytes at hand. Nothing has been sent yet.
    async fn open(
        &self,
        request: &Request,
        file: &FileRecord,
        part: Option<ByteRange>,
    ) -> Result<Opened, ApiError> {
        let opened = match self.delivery_of(file) {
            Delivery::Stream => {
                let body = self.objects.open(file, part).await?;
                let request_id = request.id().to_owned();
                let broken = move |error: StoreError| {
                    log_failure(&request_id, &error);
                    error.into()
                };
                body.map(|body| Opened::Body(Body::new(body.map_err(broken))))
            }
            Delivery::Buffered => {
                let body = self.objects.read(file, part).await?;
                body.map(|body| Opened::Body(whole(body)))
            }
            Delivery::Presigned => self.objects.presign(file).await?.map(Opened::Elsewhere),
        };
        opened.ok_or(ApiError::FileGone)
    }

    /// Files that do not fit go by presigned URL.
    fn delivery_of(&self, file: &FileRecord) -> Delivery {
        match self.delivery {
            Delivery::Stream if file.size > self.stream_limit_bytes => Delivery::Presigned,
            Delivery::Buffered if file.size > BUFFERED_LIMIT_BYTES => Delivery::Presigned,
            fits => fits,
        }
    }

    /// Spends the link, or a resume of its lease, and hands over what is open.
    async fn deliver(
        &self,
        request: &Request,
        visit: Visit,
        part: Option<ByteRange>,
        opened: Opened,
    ) -> Result<Response, ApiError> {
        let Visit { presented, lease, client, file } = visit;
        let lease = lease.unwrap_or_else(OpaqueSecret::generate);
        let link = presented.link.id.clone();
        let range = part.unwrap_or(ByteRange::whole(file.size));
        let asked = DownloadRequest {
            download: 0, // the link counts
            address: request.source_address().to_owned(),
            agent: request
                .header(header::USER_AGENT)
                .unwrap_or_default()
                .chars()
                .take(200)
                .collect(),
            range,
        };
        let transfer = self
            .links
            .start_transfer(presented, &lease.hash(), asked, self.lease_terms, request.context())
            .await??;
        let (admission, seconds) = (transfer.admission, transfer.lease_seconds);
        let account = Account {
            links: self.links.clone(),
            users: self.users.clone(),
            mailer: self.mailer.clone(),
            lease_terms: self.lease_terms,
            transfer,
            client,
            file,
            request_id: request.id().to_owned(),
        };
        let stopwatch = request.stopwatch();
        let mut response = match opened {
            Opened::Body(body) => {
                let headers = headers(&account.file, part);
                let mut response = with_headers(empty(StatusCode::OK), headers);
                if part.is_some() {
                    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
                }
                let settle = move |bytes| async move {
                    account.settle(Sent::Bytes(bytes), stopwatch()).await;
                };
                *response.body_mut() = reporting(body, range.length(), settle);
                response
            }
            Opened::Elsewhere(url) => {
                account.settle(Sent::Redirect, stopwatch()).await;
                redirect(&url)
            }
        };
        send_lease(response.headers_mut(), &link, &lease, seconds);
        if admission == Admission::Redeem {
            response.extensions_mut().insert(Metric::LinkUsed);
        }
        Ok(response)
    }
}

/// What is to be done when no more bytes go out.
struct Account {
    links: Links,
    users: Users,
    mailer: Mailer,
    lease_terms: LeaseTerms,
    transfer: Transfer,
    client: User,
    file: FileRecord,
    request_id: String,
}

impl Account {
    /// Writes the receipt and tells the uploader. The client has its bytes whatever happens here.
    async fn settle(self, sent: Sent, now: Timestamp) {
        if let Err(error) = self.try_settle(sent, now).await {
            log_failure(&self.request_id, &error);
        }
    }

    async fn try_settle(&self, sent: Sent, now: Timestamp) -> Result<(), StoreError> {
        let (file, terms) = (&self.file, self.lease_terms);
        let context = RequestContext { now, request_id: &self.request_id };
        let end = self.links.finish_transfer(&self.transfer, sent, file, terms, context).await?;
        if !end.notify {
            return Ok(());
        }
        let uploader = self.users.by_username(&file.uploaded_by).await?;
        let Some(uploader) = uploader.filter(|uploader| uploader.active) else { return Ok(()) };
        let (name, client) = (file.filename.as_str(), self.client.username.as_str());
        let deed = match end.outcome {
            TransferOutcome::Redirected => "is being downloaded from S3, since",
            _ => "was downloaded on",
        };
        let text = format!(
            "{name}\n{deed} {}\nthrough a link that {client} had asked for.\n\n\
             The file's receipts say more: file {}.",
            now.strftime("%-d %B %Y, %H:%M UTC"),
            file.id,
        );
        self.mailer
            .send(&Mail { to: &uploader.email, subject: "Your file was downloaded", text: &text })
            .await
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
fn page(visit: &Visit, now: Timestamp) -> Response {
    let (file, link) = (&visit.file, &visit.presented.link);
    let (ends, button, note) = match &visit.presented.lease {
        Some(lease) => (
            Timestamp::from_second(lease.ends_at).unwrap_or_default(),
            "Download again",
            "Your download has transfer. Until then you can start it again, in this browser only."
                .to_owned(),
        ),
        None => (link.expires_at, "Download", promise(link)),
    };
    let content = format!(
        "<dl><dt>Size</dt><dd>{} bytes</dd><dt>SHA-256</dt><dd>{}</dd>\
         <dt>Ends</dt><dd>{}</dd></dl>\n\
         <form method=\"post\"><button>{button}</button></form>\n\
         <p><small>{note}</small></p>",
        file.size,
        file.sha256.hex(),
        ends.strftime("%-d %B %Y, %H:%M UTC"),
    );
    let page = HtmlPage { title: file.filename.as_str().to_owned(), content };
    let mut response = page.respond(StatusCode::OK);
    if visit.lease.is_none() {
        // So that the browser holds it before the first byte, and can click again when no
        // answer comes.
        let seconds = link.expires_at.as_second() - now.as_second();
        set_lease_cookie(response.headers_mut(), &link.id, &OpaqueSecret::generate(), seconds);
    }
    response
}

/// How often the link can still be redeemed, in words.
fn promise(link: &Link) -> String {
    match link.max_downloads.get().saturating_sub(link.downloads) {
        1 => "The link works once.".to_owned(),
        left => format!("The link works {left} more times."),
    }
}

/// The part of the file that the request asks for (RFC 9110, section 14), unless it is the whole.
fn part(request: &Request, file: &FileRecord) -> Result<Option<ByteRange>, ApiError> {
    let range = request.header(header::RANGE).filter(|_| request.method() == Method::GET);
    let Some(range) = range else { return Ok(None) };
    // A condition that does not hold makes it a request for the whole file. There are no dates
    // here that could match, and an entity tag must be the very one.
    if request.header(header::IF_RANGE).is_some_and(|wanted| wanted != entity_tag(file)) {
        return Ok(None);
    }
    match RangeRequest::parse(range, file.size) {
        RangeRequest::Whole => Ok(None),
        RangeRequest::Part(part) => Ok(Some(part)),
        RangeRequest::Unsatisfiable => Err(ApiError::RangeUnsatisfiable(file.size)),
    }
}

fn entity_tag(file: &FileRecord) -> String {
    format!("\"{}\"", file.sha256.hex())
}

fn headers(file: &FileRecord, part: Option<ByteRange>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let content_range =
        part.map(|part| (header::CONTENT_RANGE, format!("bytes {part}/{}", file.size)));
    let length = part.map_or(file.size, ByteRange::length);
    let others = [
        (header::CONTENT_TYPE, file.content_type.clone()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, attachment(&file.filename)),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
        (header::ACCEPT_RANGES, "bytes".to_owned()),
        (header::ETAG, entity_tag(file)),
        // RFC 9530: so that a stream that breaks off, or changes, is noticed.
        (HeaderName::from_static("repr-digest"), format!("sha-256=:{}:", file.sha256.base64())),
    ];
    for (name, value) in others.into_iter().chain(content_range) {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    }
    headers
}

fn with_headers(mut response: Response, headers: HeaderMap) -> Response {
    *response.headers_mut() = headers;
    response
}
