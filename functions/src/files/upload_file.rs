//! `file_upload`: a file of at most 4 MiB, checked before it is stored; or one from an address.

use std::convert::Infallible;
use std::io::Cursor;
use std::time::Duration;

use http::StatusCode;
use jiff::SignedDuration;
use serde::Serialize;
use share_contract::settings::{ALLOWED_FILE_TYPES, MALWARE_SCAN, MalwareScan};
use share_contract::{ErrorCode, FileDetails, FileSummary, Operation, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, FileTerms, FileTermsReader, PublicUrl, Request,
    keyed, limit, log_failure,
};
use share_model::limits::UPLOADS;
use share_model::{
    AllowedFileTypes, AuditAction, Content, ContentDigest, File, FileName, FileState,
    InspectionError, Invalid, MAX_UPLOAD_BYTES, Rejection, User, file_protocol,
};
use share_store::{Actor, Applied, FileChanges, FileStep, Limits, Objects, Platform, StartError};
use tokio::time::{Instant, sleep};

use crate::created_file::{CreatedFile, earlier};
use crate::file_check::FileCheck;
use crate::imports::{Importer, NewImports};
use crate::recipient_mails::RecipientMails;

/// How long the answer waits for a file that is fetched or scanned.
const PATIENCE: Duration = Duration::from_secs(20);

/// When a job takes a file up that this function does not finish, or should have.
const TAKEN_OVER: SignedDuration = SignedDuration::from_mins(1);

/// The largest file that is checked here, which takes a second or two. A job checks others.
const MOST_CHECKED_BYTES: u64 = 64 * 1024 * 1024;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct UploadFile {
    authenticator: Authenticator,
    terms: FileTermsReader,
    changes: FileChanges,
    objects: Objects,
    limits: Limits,
    mails: RecipientMails,
    public_url: PublicUrl,
    allowed: AllowedFileTypes,
    scan: MalwareScan,
    imports: NewImports,
    importer: Importer,
    check: FileCheck,
}

/// What has become of the file.
#[derive(Serialize)]
#[serde(untagged)]
pub enum Uploaded {
    /// It is available.
    Available(FileSummary),
    /// It is not known yet whether it will be.
    Pending(Box<FileDetails>),
}

impl Endpoint for UploadFile {
    const NAME: &'static str = "UploadFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_UPLOAD];
    type Json = Uploaded;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            terms: FileTermsReader::connect(platform)?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            limits: Limits::connect(platform)?,
            mails: RecipientMails::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
            allowed: ALLOWED_FILE_TYPES.read(platform.environment())?,
            scan: MALWARE_SCAN.read(platform.environment())?,
            imports: NewImports::connect(platform)?,
            importer: Importer::connect(platform)?,
            check: FileCheck::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Uploaded>, ApiError> {
        let deadline = Instant::now() + PATIENCE;
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let base = self.public_url.of(request, "")?; // 503
        let file = if request.is_json() {
            self.fetch(request, &ops, &base, deadline).await? // 400, 409, 410, 415, 422, 429
        } else {
            self.receive(request, &ops, &base).await? // 400, 409, 410, 413, 415, 422, 429
        };
        let file = self.settled(file, deadline).await?; // 503
        match &file.state {
            FileState::Available(_) => {
                let record = file.record().ok_or(ErrorCode::FileGone)?;
                Ok(Answer::created(Uploaded::Available(FileSummary::for_uploader(record))))
            }
            FileState::Rejected(rejected) => {
                let detail = rejected.detail.as_deref();
                Err(self.refusal(rejected.reason, detail)) // 409, 415, 422
            }
            FileState::Deleted(_) => Err(ErrorCode::FileGone.into()), // 410
            FileState::Uploading(_) | FileState::Checking(_) => {
                let details = Box::new(FileDetails::new(file, 0, 0));
                Ok(Answer::json(StatusCode::ACCEPTED, Uploaded::Pending(details)))
            }
        }
    }
}

impl UploadFile {
    /// The file of a form, which is available, unless it is to be scanned.
    async fn receive(&self, request: &Request, ops: &User, base: &str) -> Result<File, ApiError> {
        let mut upload = request.upload_form().await?; // 400, 415, 422
        let terms = FileTerms::read(&mut upload.fields);
        let terms = upload.fields.finish(terms)?; // 422
        let (filename, media_type) = self.inspect(&upload.filename, &upload.content)?; // 413, 415, 422
        let size = upload.content.len() as u64;
        let sha256 = ContentDigest::of(&upload.content);
        let keyed = keyed(request, ops.id, &(&filename, size, sha256, &terms))?; // 400
        let actor = request.actor(ops.id);
        let earlier = earlier(&self.changes, keyed.as_ref(), request).await?; // 410, 422, 503
        let new = if let Some(file) = earlier {
            CreatedFile::Earlier(file)
        } else {
            let new = self.terms.new_file(filename, None, terms, request).await?; // 422
            let (account, code) = (ops.id.to_string(), ErrorCode::TooManyUploads);
            limit(&self.limits, &UPLOADS, &account, code, request).await?; // 429, 503
            // The record first, so that no bytes are there without one; a job removes what a crash
            // leaves.
            let file = file_protocol::receive(new, size, ops, request.now());
            let created = self.changes.create(&file, keyed.as_ref(), actor).await?; // 503
            CreatedFile::of(created, file)? // 409, 410, 422
        };
        let file = match new {
            CreatedFile::New(file) => file,
            // The earlier request may have died before it has put the bytes, or after.
            CreatedFile::Earlier(file) => match self.take_over(&file, actor).await? {
                Some(file) => file,
                None => return Ok(file),
            },
        };
        let content =
            Content { content_type: media_type.to_owned(), sha256, uploaded_at: request.now() };
        let checked = file_protocol::accept(&file, content.clone()).and_then(|file| file.record());
        self.objects.put(&checked.ok_or(ErrorCode::FileGone)?, upload.content).await?; // 503
        if keyed.is_some() {
            // An equal request may have been faster, and the file have been deleted since. Then these
            // bytes have come too late, and have the tag still with which they expire.
            let now = self.changes.files.find(file.id).await?.ok_or(ErrorCode::FileGone)?; // 410, 503
            if matches!(now.state, FileState::Rejected(_) | FileState::Deleted(_)) {
                self.objects.remove(file.id, None).await?; // 503
                return Ok(now);
            }
        }
        let scanned = self.scan == MalwareScan::GuardDuty;
        if !scanned {
            self.objects.keep(file.id).await?; // 503
        }
        let step = |file: &File, now| {
            let (after, action) = if scanned {
                // The job checks it when the scan is done, of which an event tells.
                (file_protocol::pause_check(file, None, now + TAKEN_OVER), None)
            } else {
                let after = file_protocol::accept(file, content.clone());
                (after, Some(AuditAction::FileUploaded.into()))
            };
            Ok::<_, ErrorCode>(after.map(|after| FileStep { after, action }))
        };
        match self.changes.apply(file.id, actor, step).await? {
            Applied::Changed(file) => {
                self.mails.send(&file, file.recipients.named(), base, actor.context).await;
                Ok(file)
            }
            Applied::Unchanged(file) => Ok(file),
            Applied::Refused(code) => Err(code.into()),
            Applied::Absent | Applied::QuotaExceeded => Err(ErrorCode::FileGone.into()),
        }
    }

    /// Claims the file of an earlier request, which this one is to finish: when the file is deleted
    /// meanwhile, its bytes are removed after this request is over. None when nothing is left to do.
    async fn take_over(&self, file: &File, actor: Actor<'_>) -> Result<Option<File>, ApiError> {
        let claim = |file: &File, now| {
            let checking = matches!(file.state, FileState::Checking(_));
            let after = checking.then(|| file_protocol::claim(file, now)).flatten();
            Ok::<_, Infallible>(after.map(|after| FileStep { after, action: None }))
        };
        Ok(match self.changes.apply(file.id, actor, claim).await? {
            Applied::Changed(file) => Some(file),
            Applied::Unchanged(_) | Applied::Absent | Applied::QuotaExceeded => None,
            Applied::Refused(never) => match never {},
        })
    }

    /// The file of an address, as far as it has come at the deadline.
    async fn fetch(
        &self,
        request: &Request,
        ops: &User,
        base: &str,
        deadline: Instant,
    ) -> Result<File, ApiError> {
        let input = self.imports.read(request, "file_url")?; // 400, 415, 422
        let due_at = request.now() + TAKEN_OVER;
        let file = match self.imports.create(input, due_at, ops, request).await? {
            CreatedFile::New(file) => file,
            // The earlier request is at it, or a job is.
            CreatedFile::Earlier(file) => return Ok(file),
        };
        let actor = request.actor(ops.id);
        let file = match self.importer.run(file.clone(), actor, deadline).await {
            Ok(file) => file,
            // There is an import, and a job goes on with it.
            Err(error) => {
                log_failure(request.id(), &error);
                return Ok(file);
            }
        };
        let small = file.size.is_some_and(|size| size <= MOST_CHECKED_BYTES);
        let checking = matches!(file.state, FileState::Checking(_));
        if checking && small && self.scan == MalwareScan::Off {
            // S3's event brings a job to do the same, a little later.
            match self.check.run(file.id, base, deadline.into_std(), request.context()).await {
                Ok(Some(checked)) => return Ok(checked),
                // The job was faster, or will do it.
                Ok(None) => {}
                Err(error) => log_failure(request.id(), &error),
            }
        }
        Ok(file)
    }

    /// The file once its check is over, or at the deadline.
    async fn settled(&self, mut file: File, deadline: Instant) -> Result<File, ApiError> {
        let mut pause = Duration::from_millis(100);
        while matches!(file.state, FileState::Checking(_)) && Instant::now() + pause < deadline {
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(1));
            file = self.changes.files.find(file.id).await?.unwrap_or(file);
        }
        Ok(file)
    }

    /// The file's name and media type.
    fn inspect(&self, name: &str, content: &[u8]) -> Result<(FileName, &'static str), ApiError> {
        let filename = FileName::parse(name).map_err(|reason| ApiError::field("file", reason))?;
        if content.len() > MAX_UPLOAD_BYTES {
            return Err(ErrorCode::FileTooLarge.into());
        }
        if content.is_empty() {
            return Err(ApiError::field("file", Invalid::because("must not be empty")));
        }
        let length = content.len() as u64;
        let media_type = self.allowed.inspect(&filename, Cursor::new(content), length);
        let media_type = media_type.map_err(|error| match error {
            InspectionError::Rejected(rejection) => self.refusal(rejection, None),
            // It is in memory, so this cannot be.
            InspectionError::Unreadable(_) => ErrorCode::DependencyUnavailable.into(),
        })?;
        Ok((filename, media_type))
    }

    fn refusal(&self, rejection: Rejection, detail: Option<&str>) -> ApiError {
        let reason = [("reason", detail.unwrap_or(rejection.reason()))];
        match rejection {
            Rejection::NotAllowed => {
                let extensions = self.allowed.names();
                let values = [("extensions", extensions.as_str())];
                ApiError::with(ErrorCode::FileTypeNotAllowed, &values)
            }
            Rejection::ContentMismatch => ErrorCode::ContentMismatch.into(),
            Rejection::QuotaExceeded => ErrorCode::QuotaExceeded.into(),
            Rejection::ImportFailed => ApiError::with(ErrorCode::ImportFailed, &reason),
            _ => ApiError::with(ErrorCode::FileRejected, &reason),
        }
    }
}
