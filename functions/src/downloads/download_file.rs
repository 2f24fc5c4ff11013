//! `file_download`: the file, for exactly as many of all requests with this token as the link says.
//!
//! `GET` of the `download_url` is for programs. A browser gets a page for it, as under the link's
//! `page_url`, and spends nothing until its button POSTs.
//!
//! The client that redeems the link gets a lease, with which the same request continues a download
//! that has broken off. `docs/one-time.md` says what holds after each way to fail.

use std::sync::Arc;

use http::{Method, StatusCode, header};
use http_body_util::BodyExt;
use share_contract::settings::{Delivery, DownloadSettings};
use share_contract::{ErrorCode, FileLocation, Operation, operations};
use share_http::{
    Answer, ApiError, Body, Endpoint, LeaseHolder, Metric, RangeRequest, Request, log_failure,
    part_of, reporting, send_lease, whole,
};
use share_model::link_protocol::Sent;
use share_model::{Admission, ByteRange, DownloadRequest, FileRecord};
use share_store::{Limits, Mailer, Objects, Platform, StartError, StoreError};

use super::checks::{DownloadChecks, Permitted};
use super::delivery::{CHECKED_LIMIT_BYTES, delivery_of, entity_tag, with_headers};
use super::finish::Finish;
use super::page::page;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DownloadFile {
    checks: DownloadChecks,
    objects: Objects,
    mailer: Mailer,
    limits: Limits,
    settings: DownloadSettings,
}

/// The bytes at hand, or where they are.
enum Opened {
    Body(Body),
    Elsewhere(String),
}

impl Endpoint for DownloadFile {
    const NAME: &'static str = "DownloadFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_DOWNLOAD];
    type Json = FileLocation;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            checks: DownloadChecks::connect(platform).await?,
            objects: Objects::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            limits: Limits::connect(platform)?,
            settings: DownloadSettings::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileLocation>, ApiError> {
        request.refuse_prefetch()?; // 403
        let looks = request.method() == Method::GET && request.wants_page();
        let permitted = self.checks.permit(request, looks).await?; // 400, 401, 403, 404, 410, 503
        // A browser that asks for a part continues its download. Without a lease it is a preview.
        let continues =
            permitted.current.lease.is_some() && request.header(header::RANGE).is_some();
        if looks && !continues {
            return page(&permitted, request, &self.settings, &self.objects).await;
        }
        let part = part(request, &permitted.file)?; // 416
        // S3 gives every byte to the client that is sent there, whatever part it asked us for.
        let presigned = delivery_of(&permitted.file, &self.settings) == Delivery::Presigned;
        let part = part.filter(|_| !presigned);
        // Open first, spend second, send third: what cannot be served is not spent.
        let opened = self.open(request, &permitted.file, part).await?; // 410, 503
        self.send(request, permitted, part, opened).await // 410, 503
    }
}

impl DownloadFile {
    /// The bytes at hand. Nothing has been sent yet.
    async fn open(
        &self,
        request: &Request,
        file: &FileRecord,
        part: Option<ByteRange>,
    ) -> Result<Opened, ApiError> {
        let opened = match delivery_of(file, &self.settings) {
            Delivery::Stream if file.size > CHECKED_LIMIT_BYTES => {
                let body = self.objects.open(file, part).await?;
                let request_id = request.id().to_owned();
                let broken = move |error: StoreError| {
                    log_failure(&request_id, &error);
                    error.into()
                };
                body.map(|body| Opened::Body(Body::new(body.map_err(broken))))
            }
            Delivery::Stream | Delivery::Buffered => {
                let bytes = self.objects.read(file).await?;
                bytes.map(|bytes| match part {
                    Some(part) => Opened::Body(part_of(&bytes, part)),
                    None => Opened::Body(whole(bytes)),
                })
            }
            Delivery::Presigned => {
                self.objects.presign(file, request.id()).await?.map(Opened::Elsewhere)
            }
        };
        Ok(opened.ok_or(ErrorCode::FileGone)?)
    }

    /// Spends the link, or a resume of its lease, and sends what is open.
    async fn send(
        &self,
        request: &Request,
        permitted: Permitted,
        part: Option<ByteRange>,
        opened: Opened,
    ) -> Result<Answer<FileLocation>, ApiError> {
        let Permitted { current, holder, number, client, file } = permitted;
        let holder = holder.unwrap_or_else(LeaseHolder::generate);
        let lease = holder.lease(&current.link.id, number);
        let range = part.unwrap_or(ByteRange::whole(file.size));
        let agent = request.header(header::USER_AGENT).unwrap_or_default();
        let asked = DownloadRequest {
            download: 0, // the link counts
            address: request.source_address().to_owned(),
            // Quotes and backslashes would be escaped once more in each place that quotes a receipt.
            agent: agent.replace(['"', '\\'], "'").chars().take(200).collect(),
            range,
        };
        let terms = self.settings.lease;
        let transfer = self
            .checks
            .transfers
            .start_transfer(current, &lease.hash(), &asked, &file, terms, request.context())
            .await??;
        let admission = transfer.start.admission;
        let finish = Finish {
            transfers: self.checks.transfers.clone(),
            users: self.checks.users.clone(),
            mailer: self.mailer.clone(),
            limits: self.limits.clone(),
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
                elsewhere(url, request)
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

/// Where the bytes are: as a redirect, or for a program that takes nothing but JSON, as that.
///
/// S3 refuses a presigned URL that comes with an `Authorization` header, which the download of a
/// bound link needs, and which some programs send on to where they are redirected.
fn elsewhere(url: String, request: &Request) -> Answer<FileLocation> {
    if request.wants_only_json() {
        return Answer::ok(FileLocation { url, expires_in: Objects::PRESIGNED_SECONDS });
    }
    // A redirect without a body has kept clients of streamed answers waiting.
    let sentence = "The file is at the address in Location, for a minute. \
                    Send no Authorization header there.\n";
    Answer::bytes(StatusCode::SEE_OTHER, whole(sentence))
        .with(header::LOCATION, url)
        .with(header::CONTENT_TYPE, "text/plain; charset=utf-8")
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
