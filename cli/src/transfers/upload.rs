//! An upload: small files in one request, others in parts, of which several are sent at once.
//!
//! Each part is hashed before it is sent, and S3 takes no other bytes than those. While parts are on
//! their way, the next ones are hashed and signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};
use indicatif::ProgressBar;
use reqwest::header::CONTENT_LENGTH;
use reqwest::multipart::{Form, Part};
use serde::Deserialize;
use share_contract::{
    FileDetails, FileStateName, FileSummary, FileTerms, PartRequest, PartToSign, PartsRequest,
    PartsSigned, RecipientNames, UploadCreated, UploadRequest, UploadStatus, operations,
};
use share_model::{ContentDigest, FileId};
use tokio::sync::mpsc;

use crate::api::{Api, IDEMPOTENCY_KEY, checked};
use crate::failure::{Failure, Status};
use crate::results::Uploaded;
use crate::transfers::batch::{Batch, Step};
use crate::transfers::check::wait_for_check;
use crate::transfers::progress::{Progress, remark};
use crate::transfers::retry::{Attempts, retried};
use crate::transfers::source::Source;

/// The largest file that goes in one request: the limit of `file_upload`.
const ONE_REQUEST: u64 = 4 * 1024 * 1024;

/// How many parts are on their way at once.
const PARTS: usize = 4;

/// How many parts are hashed and signed before they are sent.
const AHEAD: usize = 16;

/// What all uploads of a command share.
pub(crate) struct Uploader<'a> {
    pub(crate) api: &'a Api,
    pub(crate) terms: FileTerms,
    pub(crate) batch: &'a Batch,
    pub(crate) progress: Progress,
}

impl Uploader<'_> {
    /// Sends a file, or what is missing of it, and waits until the service has checked it.
    pub(crate) async fn send(&self, source: &Source) -> Result<Uploaded, Failure> {
        let mut earlier = self.batch.step(source).filter(|step| step.can_continue()).cloned();
        if let Some(Step { id: Some(id), done: true, .. }) = earlier {
            match self.checked(source, id).await {
                // It was not taken then, or has been deleted since.
                Err(failure) if matches!(failure.status, Status::Refused | Status::NotThere) => {
                    earlier = None;
                }
                other => return other,
            }
        }
        let continued = match earlier {
            Some(step) => match self.go_on(source, step).await {
                // It was aborted or deleted, or it was of other bytes.
                Err(failure)
                    if failure.status == Status::NotThere
                        || failure.code() == Some("idempotency_key_reused") =>
                {
                    None
                }
                other => Some(other?),
            },
            None => None,
        };
        let taken = match continued {
            Some(taken) => taken,
            None => self.go_on(source, self.batch.begin(source)?).await?,
        };
        match taken {
            Taken::Available(FileSummary { id, filename, size, sha256, .. }) => {
                Ok(Uploaded { path: source.path.clone(), id, filename, size, sha256 })
            }
            Taken::Checking { id } => self.checked(source, id).await,
        }
    }

    /// Sends what is missing of a file.
    async fn go_on(&self, source: &Source, mut step: Step) -> Result<Taken, Failure> {
        let taken = if source.size <= ONE_REQUEST {
            self.send_whole(source, &step.key).await?
        } else {
            Taken::Checking { id: self.send_parts(source, &mut step).await? }
        };
        let (Taken::Available(FileSummary { id, .. }) | Taken::Checking { id }) = &taken;
        (step.id, step.done) = (Some(*id), true);
        self.batch.note(&step)?;
        Ok(taken)
    }

    async fn checked(&self, source: &Source, id: FileId) -> Result<Uploaded, Failure> {
        let file = wait_for_check(self.api, &self.progress, id).await?;
        let (FileDetails { filename, .. }, Some(size), Some(sha256)) =
            (&file, file.size, file.sha256)
        else {
            return Err(Failure::new(Status::Failed, "The service does not say what it has taken"));
        };
        let (path, filename) = (source.path.clone(), filename.clone());
        Ok(Uploaded { path, id, filename, size, sha256 })
    }

    /// In one request. One whose answer was lost is repeated, and the service takes the file once.
    async fn send_whole(&self, source: &Source, key: &str) -> Result<Taken, Failure> {
        retried(&self.progress, async || self.send_form(source, key).await).await
    }

    async fn send_form(&self, source: &Source, key: &str) -> Result<Taken, Failure> {
        let name = source.name.as_str().to_owned();
        let file = Part::bytes(source.whole().await?).file_name(name);
        source.check_unchanged()?;
        let FileTerms { recipients, notify_recipients, expires_in, note, notify } = &self.terms;
        let recipients = recipients.as_ref().map(|names| match names {
            RecipientNames::Everyone(_) => "everyone".to_owned(),
            RecipientNames::Only(names) => names.join(","),
        });
        let fields = [
            ("recipients", recipients),
            ("notify_recipients", notify_recipients.map(|it| it.to_string())),
            ("expires_in", expires_in.map(|it| it.to_string())),
            ("note", note.as_ref().map(|it| it.as_str().to_owned())),
            ("notify", notify.map(|it| it.to_string())),
        ];
        let form = fields
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .fold(Form::new().part("file", file), |form, (name, text)| form.text(name, text));
        let request = self.api.request(&operations::FILE_UPLOAD).header(IDEMPOTENCY_KEY, key);
        request.form(form).send().await
    }

    /// In parts.
    async fn send_parts(&self, source: &Source, step: &mut Step) -> Result<FileId, Failure> {
        let (id, plan) = if let Some(id) = step.id {
            (id, self.begun(source, id).await?)
        } else {
            let (id, plan) = self.begin(source, &step.key).await?;
            step.id = Some(id);
            self.batch.note(step)?;
            (id, Some(plan))
        };
        let name = source.name.as_str();
        let there = if plan.is_some() { 0 } else { source.size };
        let bar = self.progress.bytes(name, source.size, there);
        if let Some(plan) = &plan {
            let progress = &self.progress;
            let sending = Sending { api: self.api, progress, source, id, plan, bar: &bar };
            sending.run().await?;
            source.check_unchanged()?;
        }
        // Also when all parts are there: an earlier run may have been ended in the midst of this, and
        // the service's answer with it.
        remark(&bar, name, "completing");
        let complete = async || {
            self.api
                .request(&operations::UPLOAD_COMPLETE)
                .path("id", id)
                .send::<FileDetails>()
                .await
        };
        retried(&self.progress, complete).await?;
        bar.finish_and_clear();
        Ok(id)
    }

    /// Begins an upload. A request whose answer was lost is repeated, and begins no other. Of an upload
    /// whose id is not noted no part has been sent.
    async fn begin(&self, source: &Source, key: &str) -> Result<(FileId, Plan), Failure> {
        let body = UploadRequest {
            filename: source.name.as_str().to_owned(),
            size: source.size,
            sha256: None,
            terms: self.terms.clone(),
        };
        let begin = async || {
            let request = self.api.request(&operations::UPLOAD_CREATE);
            request.header(IDEMPOTENCY_KEY, key).json(&body)?.send::<UploadCreated>().await
        };
        let UploadCreated { upload_id, part_size, .. } = retried(&self.progress, begin).await?;
        if part_size == 0 {
            let message = "The service gives a size that no part has";
            return Err(Failure::new(Status::Failed, message));
        }
        Ok((upload_id, Plan { part_size, received: BTreeMap::new() }))
    }

    /// What is left to do of an upload that an earlier run has begun; nothing when it is complete.
    ///
    /// # Errors
    /// When it is over, or of another file.
    async fn begun(&self, source: &Source, id: FileId) -> Result<Option<Plan>, Failure> {
        let request = self.api.request(&operations::UPLOAD_SHOW).path("id", id);
        let status = request.send::<UploadStatus>().await?;
        let same = status.size == Some(source.size) && status.filename == source.name;
        match (status.state, status.part_size) {
            (FileStateName::Uploading, Some(part_size @ 1..)) if same => {
                let received = status.received.unwrap_or_default().into_iter();
                let received = received.map(|part| (part.number, part.sha256)).collect();
                Ok(Some(Plan { part_size, received }))
            }
            (FileStateName::Checking | FileStateName::Available, _) if same => Ok(None),
            _ => Err(Failure::new(Status::NotThere, "The upload is over")),
        }
    }
}

/// The answers of `file_upload`: of a file that is available, and of one that is still checked.
#[derive(Deserialize)]
#[serde(untagged)]
enum Taken {
    Available(FileSummary),
    Checking { id: FileId },
}

/// How a file is cut into parts, and which of them S3 has.
struct Plan {
    part_size: u64,
    received: BTreeMap<u32, ContentDigest>,
}

impl Plan {
    /// Offset and size of a part.
    fn place(&self, number: u32, size: u64) -> (u64, u64) {
        let offset = u64::from(number - 1) * self.part_size;
        (offset, self.part_size.min(size - offset))
    }
}

/// The parts of one file on their way.
struct Sending<'a> {
    api: &'a Api,
    progress: &'a Progress,
    source: &'a Source,
    id: FileId,
    plan: &'a Plan,
    bar: &'a ProgressBar,
}

impl Sending<'_> {
    async fn run(&self) -> Result<(), Failure> {
        let count = self.source.size.div_ceil(self.plan.part_size);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let (hashed, to_sign) = mpsc::channel(AHEAD);
        let (signed, to_send) = mpsc::channel(PARTS);
        let senders = stream::unfold(to_send, async |mut to_send| {
            to_send.recv().await.map(|part| (part, to_send))
        });
        let send = senders
            .map(Ok)
            .try_for_each_concurrent(PARTS, |(part, request)| self.send(part, request));
        let ((), (), ()) =
            tokio::try_join!(self.hash(count, hashed), self.sign(to_sign, signed), send)?;
        Ok(())
    }

    /// Hashes the parts in their order. What S3 has already, with these very bytes, is passed over.
    async fn hash(&self, count: u32, hashed: mpsc::Sender<PartToSign>) -> Result<(), Failure> {
        for number in 1..=count {
            let (offset, size) = self.plan.place(number, self.source.size);
            let sha256 = self.source.digest(offset, size).await?;
            if self.plan.received.get(&number) == Some(&sha256) {
                self.bar.inc(size);
                self.bar.reset_eta();
            } else if hashed.send(PartToSign { number, sha256 }).await.is_err() {
                // Sending has failed, and says why.
                break;
            }
        }
        Ok(())
    }

    /// Has parts signed, as many at once as are waiting.
    async fn sign(
        &self,
        mut to_sign: mpsc::Receiver<PartToSign>,
        signed: mpsc::Sender<(PartToSign, PartRequest)>,
    ) -> Result<(), Failure> {
        loop {
            let mut parts = vec![];
            if to_sign.recv_many(&mut parts, AHEAD).await == 0 {
                return Ok(());
            }
            let requests = self.signed(&parts).await?;
            for pair in parts.into_iter().zip(requests) {
                if signed.send(pair).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    async fn signed(&self, parts: &[PartToSign]) -> Result<Vec<PartRequest>, Failure> {
        let body = PartsRequest { parts: parts.to_vec() };
        let sign = async || {
            let request = self.api.request(&operations::UPLOAD_SIGN_PARTS).path("id", self.id);
            request.json(&body)?.send::<PartsSigned>().await
        };
        let PartsSigned { parts: signed, .. } = retried(self.progress, sign).await?;
        let asked = parts.iter().map(|part| part.number);
        if !asked.eq(signed.iter().map(|part| part.number)) {
            let message = "The service signs other parts than those that were asked for";
            return Err(Failure::new(Status::Failed, message));
        }
        Ok(signed)
    }

    /// Sends a part until S3 has it.
    async fn send(&self, part: PartToSign, mut request: PartRequest) -> Result<(), Failure> {
        let mut attempts = Attempts::new(self.progress);
        loop {
            let failure = match self.put(&request).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            // Bytes that do not have the digest which was signed.
            self.source.check_unchanged()?;
            let failure = match failure.status {
                // The address has ended, after a quarter of an hour or with its credentials.
                Status::NotAllowed => Failure { status: Status::Unavailable, ..failure },
                _ => failure,
            };
            attempts.wait(failure).await?;
            if let Some(again) = self.signed(std::slice::from_ref(&part)).await?.pop() {
                request = again;
            }
        }
    }

    async fn put(&self, part: &PartRequest) -> Result<(), Failure> {
        let (offset, _) = self.plan.place(part.number, self.source.size);
        let sent = Arc::new(Sent { bar: self.bar.clone(), bytes: 0.into() });
        let counter = Arc::clone(&sent);
        let body = self.source.body(offset, part.size, move |bytes| counter.add(bytes));
        let mut request =
            self.api.http().put(self.api.elsewhere(&part.url)?).header(CONTENT_LENGTH, part.size);
        for (name, value) in &part.headers {
            request = request.header(name, value);
        }
        let answer = checked(request.body(body).send().await).await;
        if answer.is_err() {
            sent.take_back();
        }
        answer.map(drop)
    }
}

/// What a part has added to the bar, to be taken back when it is not accepted.
struct Sent {
    bar: ProgressBar,
    bytes: std::sync::atomic::AtomicU64,
}

impl Sent {
    fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
        self.bar.inc(bytes);
    }

    fn take_back(&self) {
        let bytes = self.bytes.swap(0, std::sync::atomic::Ordering::Relaxed);
        self.bar.set_position(self.bar.position().saturating_sub(bytes));
    }
}
