//! `file_download`: the file, for exactly as many of all requests with this token as the link says.
//!
//! HEAD, and the page that a browser gets, tell about the file and spend nothing; the page's
//! button POSTs. So a mail scanner or a link preview leaves the link as it is.
//!
//! The client that redeems the link gets a lease, with which the same request continues a download
//! that has broken off. `docs/one-time.md` says what holds after each way to fail.

use std::sync::Arc;

use http::{HeaderName, Method, StatusCode, header};
use http_body_util::BodyExt;
use jiff::Timestamp;
use share_auth::OpaqueSecret;
use share_contract::settings::{Delivery, DownloadSettings};
use share_contract::{ErrorCode, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Body, Endpoint, HtmlPage, LeaseHolder, Metric, NoJson,
    RangeRequest, Request, escape, log_failure, reporting, send_lease, whole,
};
use share_model::link_protocol::{LinkAndLease, Sent};
use share_model::{
    Admission, ByteRange, DownloadRequest, FileRecord, Lease, Link, MaxDownloads, Role, User,
    attachment,
};
use share_store::{Files, Mailer, Objects, Platform, StartError, StoreError, Transfers, Users};

use super::finish::Finish;

/// The largest file that a buffered answer holds: Lambda's 6 MB, of which base64 takes a quarter,
/// less room for the headers.
const BUFFERED_LIMIT_BYTES: u64 = 4_600_000;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DownloadFile {
    authenticator: Authenticator,
    users: Users,
    files: Files,
    transfers: Transfers,
    objects: Objects,
    mailer: Mailer,
    settings: DownloadSettings,
}

/// A request for the file behind a link, after all checks.
struct Permitted {
    current: LinkAndLease,
    /// Whose leases the request brings, whether or not the link knows them yet.
    holder: Option<LeaseHolder>,
    /// Which of its leases of the link it is about, counted from 1.
    number: u32,
    /// The maker of the link.
    client: User,
    file: FileRecord,
}

/// The bytes at hand, or where they are.
enum Opened {
    Body(Body),
    Elsewhere(String),
}

impl Endpoint for DownloadFile {
    const NAME: &'static str = "DownloadFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_DOWNLOAD];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            files: Files::connect(platform)?,
            transfers: Transfers::connect(platform)?,
            objects: Objects::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            settings: DownloadSettings::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        request.refuse_prefetch()?; // 403
        let looks = request.method() == Method::GET && request.wants_page();
        let permitted = self.check(request, looks).await?; // 400, 401, 403, 404, 410, 503
        if request.method() == Method::HEAD {
            return Ok(with_headers(
                Answer::bytes(StatusCode::OK, whole("")),
                &permitted.file,
                None,
            ));
        }
        // A browser that asks for a part continues its download. Without a lease it is a preview.
        let continues =
            permitted.current.lease.is_some() && request.header(header::RANGE).is_some();
        if looks && !continues {
            return Ok(page(&permitted, request));
        }
        let part = part(request, &permitted.file)?; // 416
        // Open first, spend second, send third: what cannot be served is not spent.
        let opened = self.open(request, &permitted.file, part).await?; // 410, 503
        self.send(request, permitted, part, opened).await // 410, 503
    }
}

impl DownloadFile {
    /// Everything that must hold before the link is spent. A browser that only `looks` is not told
    /// that its lease has ended when the link can be redeemed once more.
    async fn check(&self, request: &Request, looks: bool) -> Result<Permitted, ApiError> {
        let token = OpaqueSecret::parse(request.required_query("token")?);
        let token = token.map_err(|_| ErrorCode::LinkUnknown)?;
        let id = token.link_id();
        let holder = LeaseHolder::read(request, &token, &id)?;
        let number = request
            .query_parameter("lease", |text| MaxDownloads::new(text.parse().unwrap_or_default()))?;
        let mut number = number.map_or(1, MaxDownloads::get);
        let find = async |number| {
            let lease = holder.as_ref().map(|holder| holder.lease(&id, number).hash());
            let found = self.transfers.find(&id, lease.as_ref()).await?;
            Ok::<_, ApiError>(found.ok_or(ErrorCode::LinkUnknown)?)
        };
        let mut current = find(number).await?;
        let link = &current.link;
        let mut client = None;
        if link.bind {
            let caller = self.authenticator.require(&[Role::Client], request).await?;
            let maker = Some(caller).filter(|caller| caller.id == link.user_id);
            client = Some(maker.ok_or(ErrorCode::LinkBound)?);
        }
        let ended = |lease: &Lease| !lease.is_live(request.now());
        while looks
            && matches!(holder, Some(LeaseHolder::Browser(_)))
            && current.lease.as_ref().is_some_and(ended)
        {
            number += 1;
            current = find(number).await?;
        }
        current.link.admit(current.lease.as_ref(), request.now())?;
        if client.is_none() {
            client = self.users.by_id(current.link.user_id).await?;
        }
        // The links of an account that is disabled, or no Client any more, are revoked with it.
        let client = client.filter(|maker| maker.active && maker.role == Role::Client);
        let client = client.ok_or(ErrorCode::LinkRevoked)?;
        let file = self.files.available(current.link.file_id).await?.ok_or(ErrorCode::FileGone)?;
        Ok(Permitted { current, holder, number, client, file })
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
        Ok(opened.ok_or(ErrorCode::FileGone)?)
    }

    /// Files that do not fit travel by a presigned URL.
    fn delivery_of(&self, file: &FileRecord) -> Delivery {
        match self.settings.delivery {
            Delivery::Stream if file.size > self.settings.stream_limit => Delivery::Presigned,
            Delivery::Buffered if file.size > BUFFERED_LIMIT_BYTES => Delivery::Presigned,
            fits => fits,
        }
    }

    /// Spends the link, or a resume of its lease, and sends what is open.
    async fn send(
        &self,
        request: &Request,
        permitted: Permitted,
        part: Option<ByteRange>,
        opened: Opened,
    ) -> Result<Answer<NoJson>, ApiError> {
        let Permitted { current, holder, number, client, file } = permitted;
        let holder = holder.unwrap_or_else(LeaseHolder::generate);
        let lease = holder.lease(&current.link.id, number);
        let range = part.unwrap_or(ByteRange::whole(file.size));
        let agent = request.header(header::USER_AGENT).unwrap_or_default();
        let asked = DownloadRequest {
            download: 0, // the link counts
            address: request.source_address().to_owned(),
            agent: agent.chars().take(200).collect(),
            range,
        };
        let terms = self.settings.lease;
        let transfer = self
            .transfers
            .start_transfer(current, &lease.hash(), &asked, terms, request.context())
            .await??;
        let admission = transfer.start.admission;
        let finish = Finish {
            transfers: self.transfers.clone(),
            users: self.users.clone(),
            mailer: self.mailer.clone(),
            terms,
            transfer,
            client,
            file,
            request_id: request.id().to_owned(),
            clock: Arc::clone(request.clock()),
        };
        let mut answer = match opened {
            Opened::Body(body) => {
                let file = finish.file.clone();
                let status =
                    if part.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK };
                let report = move |bytes| async move {
                    finish.run(Sent::Bytes(bytes)).await;
                };
                let body = reporting(body, range.length(), report);
                with_headers(Answer::bytes(status, body), &file, part)
            }
            Opened::Elsewhere(url) => {
                finish.run(Sent::Redirect).await;
                Answer::bytes(StatusCode::SEE_OTHER, whole("")).with(header::LOCATION, url)
            }
        };
        send_lease(answer.headers_mut(), &lease);
        // Another site can make a browser POST, but without the cookie that it has. Such a POST must
        // not set another one.
        if request.method() == Method::GET {
            holder.set_cookie(answer.headers_mut());
        }
        Ok(match admission {
            Admission::Redeem => answer.counted(Metric::LinkUsed),
            Admission::Resume => answer,
        })
    }
}

/// What a browser shows for the link. The form goes back to the page's own address.
fn page(permitted: &Permitted, request: &Request) -> Answer<NoJson> {
    let (file, link) = (&permitted.file, &permitted.current.link);
    let (ends, button, note) = match &permitted.current.lease {
        Some(lease) => (
            Timestamp::from_second(lease.ends_at).unwrap_or_default(),
            "Download again",
            "Your download has started. Until then you can start it again, in this browser only."
                .to_owned(),
        ),
        None => (link.expires_at, "Download", promise(link)),
    };
    // So that a click cannot redeem the link once more than the page has said.
    let action = match permitted.number {
        1 => String::new(),
        number => {
            let token = escape(request.query("token").unwrap_or_default());
            format!(" action=\"?token={token}&amp;lease={number}\"")
        }
    };
    let content = format!(
        "<dl><dt>Size</dt><dd>{} bytes</dd><dt>SHA-256</dt><dd>{}</dd>\
         <dt>Ends</dt><dd>{}</dd></dl>\n\
         <form method=\"post\"{action}><button>{button}</button></form>\n\
         <p><small>{note}</small></p>",
        file.size,
        file.sha256.hex(),
        ends.strftime("%-d %B %Y, %H:%M UTC"),
    );
    let mut answer = Answer::page(HtmlPage { title: file.filename.as_str().to_owned(), content });
    // So that the browser has it before the first byte, and can click again when no answer comes.
    let generated = permitted.holder.is_none().then(LeaseHolder::generate);
    if let Some(holder) = permitted.holder.as_ref().or(generated.as_ref()) {
        holder.set_cookie(answer.headers_mut());
    }
    answer
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
        RangeRequest::Unsatisfiable => Err(ApiError::range_unsatisfiable(file.size)),
    }
}

fn entity_tag(file: &FileRecord) -> String {
    format!("\"{}\"", file.sha256.hex())
}

fn with_headers(
    mut answer: Answer<NoJson>,
    file: &FileRecord,
    part: Option<ByteRange>,
) -> Answer<NoJson> {
    if let Some(part) = part {
        answer = answer.with(header::CONTENT_RANGE, format!("bytes {part}/{}", file.size));
    }
    let length = part.map_or(file.size, ByteRange::length);
    answer
        .with(header::CONTENT_TYPE, file.content_type.as_str())
        .with(header::CONTENT_LENGTH, length)
        .with(header::CONTENT_DISPOSITION, attachment(&file.filename))
        .with(header::CONTENT_SECURITY_POLICY, "sandbox")
        .with(header::ACCEPT_RANGES, "bytes")
        .with(header::ETAG, entity_tag(file))
        // RFC 9530: so that a stream that breaks off, or changes, is noticed.
        .with(HeaderName::from_static("repr-digest"), format!("sha-256=:{}:", file.sha256.base64()))
}
