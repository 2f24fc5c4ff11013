//! An upload: small files in one request, others in parts, of which several are sent at once.
//!
//! Each part is hashed before it is sent, and S3 takes no others bytes than those. While parts are on
//! their way, the next ones are hashed and signed.

use std::collections::{BTreeMap, BTreeSet};
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
use share_model::{ContentDigest, FileId, caseless};
use tokio::sync::mpsc;

use crate::api::{Api, checked};
use crate::context::Account;
use crate::failure::{Failure, Status};
use crate::results::Uploaded;
use crate::transfers::batch::{Batch, Step};
use crate::transfers::check::wait_for_check;
use crate::transfers::progress::{Progress, remark};
use crate::transfers::retry::Attempts;
use crate::transfers::source::Source;

/// The largest file that goes in one request: the limit of `file_upload`.
const ONE_REQUEST: u64 = 4 * 1024 * 1024;

/// How many parts are on their way at once.
const PARTS: usize = 4;

/// How many parts are hashed and signed before they are sent.
const AHEAD: usize = 16;

/// How exactly the clock of the service is known, in seconds: its answers say it to the second.
const CLOCK: i64 = 2;

/// What all uploads of a command share.
pub(crate) struct Uploader<'a> {
    pub(crate) api: &'a Api,
    pub(crate) account: Account,
    pub(crate) terms: FileTerms,
    pub(crate) batch: &'a Batch,
    pub(crate) progress: Progress,
}

impl Uploader<'_> {
    /// Sends a file, or what is missing of it, and waits until the service has checked it.
    pub(crate) async fn send(&self, source: &Source) -> Result<Uploaded, Failure> {
        let mut step = self.batch.step(source).cloned();
        if let Some(Step { id: Some(id), done: true, .. }) = step {
            match self.checked(source, id).await {
                // It was not taken then, or has been deleted since.
                Err(failure) if matches!(failure.status, Status::Refused | Status::NotThere) => {
                    step = None;
                }
                other => return other,
            }
        }
        let begun_at = match &step {
            Some(step) => step.begun_at,
            None => self.api.service_time().await?,
        };
        if step.is_none() {
            self.batch.note(source, begun_at, None, false)?;
        }
        let id = if source.size <= ONE_REQUEST {
            let taken =
                if step.is_some() { self.find_taken(source, begun_at).await? } else { None };
            match taken {
                Some(id) => id,
                None => match self.send_whole(source).await? {
                    Taken::Available(file) => {
                        self.batch.note(source, begun_at, Some(file.id), true)?;
                        let FileSummary { id, filename, size, sha256, .. } = file;
                        let path = source.path.clone();
                        return Ok(Uploaded { path, id, filename, size, sha256 });
                    }
                    Taken::Checking { id } => id,
                },
            }
        } else {
            let id = match &step {
                Some(step) if step.id.is_some() => step.id,
                Some(_) => self.find_begun(source, begun_at).await?,
                None => None,
            };
            self.send_parts(source, begun_at, id).await?
        };
        self.batch.note(source, begun_at, Some(id), true)?;
        self.checked(source, id).await
    }

    async fn checked(&self, source: &Source, id: FileId) -> Result<Uploaded, Failure> {
        let file = wait_for_check(self.api, id).await?;
        let (FileDetails { filename, .. }, Some(size), Some(sha256)) =
            (&file, file.size, file.sha256)
        else {
            return Err(Failure::new(Status::Failed, "The service does not say what it has taken"));
        };
        let (path, filename) = (source.path.clone(), filename.clone());
        Ok(Uploaded { path, id, filename, size, sha256 })
    }

    /// In one request.
    async fn send_whole(&self, source: &Source) -> Result<Taken, Failure> {
        let begun_at = self.api.service_time().await?;
        let mut attempts = Attempts::new();
        loop {
            let answer = self.send_form(source).await;
            let failure = match answer {
                Ok(taken) => return Ok(taken),
                Err(failure) => failure,
            };
            attempts.wait(failure).await?;
            // The answer may have been lost after the service has taken the file.
            if let Ok(Some(id)) = self.find_taken(source, begun_at).await {
                return Ok(Taken::Checking { id });
            }
        }
    }

    async fn send_form(&self, source: &Source) -> Result<Taken, Failure> {
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
        self.api.request(&operations::FILE_UPLOAD).form(form).send().await
    }

    /// The file that an earlier run has sent in one request, without learning of it.
    async fn find_taken(&self, source: &Source, begun_at: i64) -> Result<Option<FileId>, Failure> {
        let digest = source.digest(0, source.size).await?;
        self.find(source, begun_at, |file| file.sha256 == Some(digest)).await
    }

    /// The upload that an earlier run has begun, without learning of it.
    async fn find_begun(&self, source: &Source, begun_at: i64) -> Result<Option<FileId>, Failure> {
        self.find(source, begun_at, |file| file.state == FileStateName::Uploading).await
    }

    /// Whether the file has just the terms of this command: one with others is another upload.
    fn has_the_terms(&self, file: &FileDetails) -> bool {
        let FileTerms { recipients, notify_recipients, expires_in, note, notify } = &self.terms;
        let names = |names: &RecipientNames| match names {
            RecipientNames::Everyone(_) => None,
            RecipientNames::Only(names) => {
                Some(names.iter().map(|it| caseless(it)).collect::<BTreeSet<_>>())
            }
        };
        let lives = file.expires_at.map(|at| at.as_second() - file.created_at.as_second());
        recipients.as_ref().is_none_or(|it| names(it) == names(&file.recipients))
            && notify_recipients.unwrap_or_default() == file.notify_recipients
            && notify.unwrap_or_default() == file.notify
            && *note == file.note
            && expires_in.is_none_or(|it| lives.is_some_and(|lives| (lives - it).abs() <= CLOCK))
    }

    async fn find(
        &self,
        source: &Source,
        begun_at: i64,
        is_it: impl Fn(&FileDetails) -> bool,
    ) -> Result<Option<FileId>, Failure> {
        let request = self.api.request(&operations::FILE_LIST_UPLOADED);
        let files: Vec<FileDetails> =
            request.query("q", Some(source.name.as_str())).list(1000).await?;
        let same = |file: &FileDetails| {
            file.filename == source.name
                && file.size == Some(source.size)
                && file.uploaded_by.as_str() == self.account.username
                && file.created_at.as_second() >= begun_at - CLOCK
                && file.state != FileStateName::Deleted
                && self.has_the_terms(file)
                && is_it(file)
        };
        // Two files of one command can have the same name and size.
        let mut ids = files.iter().filter(|file| same(file)).map(|file| file.id);
        Ok(ids.find(|id| self.batch.claim(*id)))
    }

    /// In parts.
    async fn send_parts(
        &self,
        source: &Source,
        begun_at: i64,
        id: Option<FileId>,
    ) -> Result<FileId, Failure> {
        let (id, plan) = match self.begun(source, id).await? {
            Some(begun) => begun,
            None => self.begin(source, begun_at).await?,
        };
        self.batch.note(source, begun_at, Some(id), false)?;
        let Some(plan) = plan else { return Ok(id) };

        let bar = self.progress.bytes(source.name.as_str(), source.size, 0);
        let sending = Sending { api: self.api, source, id, plan: &plan, bar: &bar };
        sending.run().await?;
        source.check_unchanged()?;
        remark(&bar, source.name.as_str(), "completing");
        let mut attempts = Attempts::new();
        loop {
            let request = self.api.request(&operations::UPLOAD_COMPLETE).path("id", id);
            match request.send::<FileDetails>().await {
                Ok(_) => break,
                Err(failure) => attempts.wait(failure).await?,
            }
        }
        bar.finish_and_clear();
        Ok(id)
    }

    async fn begin(
        &self,
        source: &Source,
        begun_at: i64,
    ) -> Result<(FileId, Option<Plan>), Failure> {
        let body = UploadRequest {
            filename: source.name.as_str().to_owned(),
            size: source.size,
            sha256: None,
            terms: self.terms.clone(),
        };
        let mut attempts = Attempts::new();
        loop {
            let request = self.api.request(&operations::UPLOAD_CREATE).json(&body)?;
            match request.send::<UploadCreated>().await {
                Ok(UploadCreated { part_size: 0, .. }) => {
                    let message = "The service gives a size that no part has";
                    return Err(Failure::new(Status::Failed, message));
                }
                Ok(UploadCreated { upload_id, part_size, .. }) => {
                    // Another file of this command, whose answer was lost, may have taken it.
                    if self.batch.claim(upload_id) {
                        let plan = Plan { part_size, received: BTreeMap::new() };
                        return Ok((upload_id, Some(plan)));
                    }
                }
                Err(failure) => {
                    attempts.wait(failure).await?;
                    // The answer may have been lost after the service has begun it.
                    let id = self.find_begun(source, begun_at).await?;
                    if let Some(begun) = self.begun(source, id).await? {
                        return Ok(begun);
                    }
                }
            }
        }
    }

    /// What is left to do of an upload that an earlier run has begun. Nothing when there is none any
    /// more, or when it is of other bytes.
    async fn begun(
        &self,
        source: &Source,
        id: Option<FileId>,
    ) -> Result<Option<(FileId, Option<Plan>)>, Failure> {
        let Some(id) = id else { return Ok(None) };
        let request = self.api.request(&operations::UPLOAD_SHOW).path("id", id);
        let status = match request.send::<UploadStatus>().await {
            Ok(status) => status,
            Err(failure) if failure.status == Status::NotThere => return Ok(None),
            Err(failure) => return Err(failure),
        };
        if status.size != Some(source.size) || status.filename != source.name {
            return Ok(None);
        }
        match (status.state, status.part_size) {
            (FileStateName::Uploading, Some(part_size @ 1..)) => {
                let received = status.received.unwrap_or_default().into_iter();
                let received = received.map(|part| (part.number, part.sha256)).collect();
                Ok(Some((id, Some(Plan { part_size, received }))))
            }
            (FileStateName::Checking | FileStateName::Available, _) => Ok(Some((id, None))),
            _ => Ok(None),
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
        let mut attempts = Attempts::new();
        loop {
            let request = self.api.request(&operations::UPLOAD_SIGN_PARTS).path("id", self.id);
            match request.json(&body)?.send::<PartsSigned>().await {
                Ok(PartsSigned { parts: signed, .. }) => {
                    let asked = parts.iter().map(|part| part.number);
                    if asked.eq(signed.iter().map(|part| part.number)) {
                        return Ok(signed);
                    }
                    let message = "The service signs other parts than those that were asked for";
                    return Err(Failure::new(Status::Failed, message));
                }
                Err(failure) => attempts.wait(failure).await?,
            }
        }
    }

    /// Sends a part until S3 has it.
    async fn send(&self, part: PartToSign, mut request: PartRequest) -> Result<(), Failure> {
        let mut attempts = Attempts::new();
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
