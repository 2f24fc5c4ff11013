//! Checks files whose bytes have come in parts: puts them together if nobody has, digests and
//! inspects them, waits for the malware scan, and makes them available, or not.
//!
//! S3's event starts it, and the scan's; a schedule continues what is left. Events come once, more
//! often, late or never; each run asks the record what is to be done.

use std::convert::Infallible;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use share_contract::settings::{
    ALLOWED_FILE_TYPES, CHECK_SLICE_BYTES, MALWARE_SCAN, MalwareScan, PUBLIC_BASE_URL,
};
use share_model::{
    AllowedFileTypes, AuditAction, Check, Content, DigestProgress, File, FileId, FileState,
    InspectionError, Job, Rejection, file_protocol,
};
use share_runtime::{DirectFunction, NotDone};
use share_store::{
    Actor, Applied, Clock, FileChanges, FileStep, Files, ObjectReader, Objects, Platform,
    RequestContext, StartError, StoreError,
};
use tokio::runtime::Handle;

use super::{FILES_A_RUN, goes_on, run_id};
use crate::recipient_mails::RecipientMails;

/// When to look again for the result of the scan, in case its event does not come.
const SCAN_PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct CheckFile {
    files: Files,
    check: FileCheck,
    public_base_url: String,
}

/// Checks one file. Functions that wait for it have one as well.
pub struct FileCheck {
    changes: FileChanges,
    objects: Objects,
    mails: RecipientMails,
    allowed: AllowedFileTypes,
    slice_bytes: u64,
    scan: MalwareScan,
}

/// What a check found.
enum Finding {
    /// The file is what it should be.
    Good(Content),
    /// It is not taken.
    Bad(Rejection),
    /// It is not known yet: the check continues at this time.
    Later(DigestProgress, Timestamp),
    /// There are no bytes, and there will be none.
    Nothing,
}

impl DirectFunction for CheckFile {
    const NAME: &'static str = "CheckFile";

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            files: Files::connect(platform)?,
            check: FileCheck::connect(platform)?,
            // Required here: no request says where the API is.
            public_base_url: PUBLIC_BASE_URL.read(platform.environment())?,
        })
    }

    async fn invoke(&self, event: Map<String, Value>, clock: &Clock) -> Result<Value, NotDone> {
        let (begun, request_id) = (Instant::now(), run_id(&event));
        let context = RequestContext { clock, request_id: &request_id };
        if let Some(key) = object_key(&event) {
            // What is not named by a file's id is not ours.
            let Ok(id) = key.parse() else { return Ok(json!({ "checked": 0 })) };
            self.check.run(id, &self.public_base_url, context).await?;
            return Ok(json!({ "checked": 1 }));
        }
        let due = self.files.due(Job::Check, clock, FILES_A_RUN).await?;
        let (mut checked, mut failed) = (0, 0);
        for id in due.into_iter().take_while(|_| goes_on(begun)) {
            match self.check.run(id, &self.public_base_url, context).await {
                Ok(_) => checked += 1,
                Err(error) => {
                    share_http::log_failure(&request_id, &error);
                    failed += 1;
                }
            }
        }
        Ok(json!({ "checked": checked, "failed": failed }))
    }
}

/// The object that an event is about; none of a schedule.
fn object_key(event: &Map<String, Value>) -> Option<&str> {
    let detail = event.get("detail")?;
    let of_s3 = detail.pointer("/object/key");
    of_s3.or_else(|| detail.pointer("/s3ObjectDetails/objectKey"))?.as_str()
}

impl FileCheck {
    /// # Errors
    /// When a setting is missing or wrong.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            mails: RecipientMails::connect(platform)?,
            allowed: ALLOWED_FILE_TYPES.read(platform.environment())?,
            slice_bytes: CHECK_SLICE_BYTES.read(platform.environment())?,
            scan: MALWARE_SCAN.read(platform.environment())?,
        })
    }

    /// Does what is to be done with the file now, if it is being checked. Gives the file when it is
    /// another one afterwards: available, rejected, deleted, or to be looked at later.
    ///
    /// # Errors
    /// When S3 or the tables do not answer. The same again goes on.
    pub async fn run(
        &self,
        id: FileId,
        base: &str,
        context: RequestContext<'_>,
    ) -> Result<Option<File>, StoreError> {
        let Some(file) = self.changes.files.find(id).await? else { return Ok(None) };
        let actor = Actor { user: file.uploader, context };
        let claim = |file: &File, now| {
            let checking = matches!(file.state, FileState::Checking(_));
            let after = checking.then(|| file_protocol::claim(file, now)).flatten();
            Ok::<_, Infallible>(after.map(|after| FileStep { after, action: None }))
        };
        // One whose check is over, or that is being deleted, is left alone.
        let Applied::Changed(file) = self.changes.apply(id, actor, claim).await? else {
            return Ok(None);
        };
        let FileState::Checking(check) = &file.state else { return Ok(None) };
        let finding = self.look(&file, check, context).await?;
        let conclude = |file: &File, now| Ok::<_, Infallible>(conclude(file, &finding, now));
        match self.changes.apply(id, actor, conclude).await? {
            Applied::Changed(file) => {
                self.mails.send(&file, file.recipients.named(), base, context).await;
                self.changes.remove_leftover(&file, &self.objects, actor).await?;
                Ok(Some(file))
            }
            // Another run was faster, or the file was deleted.
            _ => Ok(None),
        }
    }

    /// Finds out what the bytes are. Changes nothing but the object: puts it together, and takes the
    /// tag off with which it would expire.
    async fn look(
        &self,
        file: &File,
        check: &Check,
        context: RequestContext<'_>,
    ) -> Result<Finding, StoreError> {
        let now = || (context.clock)();
        let length = match (self.objects.length(file.id).await?, &check.s3_upload) {
            (None, Some(upload)) if self.objects.assemble(file.id, upload).await? => {
                self.objects.length(file.id).await?
            }
            (length, _) => length,
        };
        let Some(length) = length else { return Ok(Finding::Nothing) };
        if file.size != Some(length) {
            return Ok(Finding::Bad(Rejection::DigestMismatch));
        }
        let progress = check.progress.clone().unwrap_or_default();
        let progress = self.digest(file.id, length, progress).await?;
        if progress.bytes() < length {
            return Ok(Finding::Later(progress, now()));
        }
        let sha256 = progress.clone().finish();
        if file.promised_sha256.is_some_and(|promised| promised != sha256) {
            return Ok(Finding::Bad(Rejection::DigestMismatch));
        }
        let content_type = match self.inspect(file, length).await? {
            Ok(content_type) => content_type.to_owned(),
            Err(rejection) => return Ok(Finding::Bad(rejection)),
        };
        if self.scan == MalwareScan::GuardDuty {
            match self.objects.scan_status(file.id).await?.as_deref() {
                None => return Ok(Finding::Later(progress, now() + SCAN_PATIENCE)),
                Some("NO_THREATS_FOUND") => {}
                Some("THREATS_FOUND") => return Ok(Finding::Bad(Rejection::Malware)),
                Some(_) => return Ok(Finding::Bad(Rejection::ScanFailed)),
            }
        }
        // Before the file is available, or it could expire as one that is.
        self.objects.keep(file.id).await?;
        Ok(Finding::Good(Content { content_type, sha256, uploaded_at: now() }))
    }

    /// Digests the bytes from where it was left, to the end or for one slice.
    async fn digest(
        &self,
        id: FileId,
        length: u64,
        mut progress: DigestProgress,
    ) -> Result<DigestProgress, StoreError> {
        let (begun, slice_end) =
            (Instant::now(), progress.bytes().saturating_add(self.slice_bytes));
        if progress.bytes() >= length {
            return Ok(progress);
        }
        let mut body = self.objects.open_from(id, progress.bytes()).await?;
        while let Some(piece) = body.next().await {
            progress.add(&piece.map_err(StoreError::during("read an object"))?);
            if progress.bytes() >= slice_end || !goes_on(begun) {
                break;
            }
        }
        Ok(progress)
    }

    /// The media type, or why it is not taken.
    async fn inspect(
        &self,
        file: &File,
        length: u64,
    ) -> Result<Result<&'static str, Rejection>, StoreError> {
        let (allowed, filename) = (self.allowed.clone(), file.filename.clone());
        let reader = ObjectReader::new(self.objects.clone(), file.id, length, Handle::current());
        let inspect = move || allowed.inspect(&filename, reader, length);
        let failed = "inspect an object";
        match tokio::task::spawn_blocking(inspect).await.map_err(StoreError::during(failed))? {
            Ok(media_type) => Ok(Ok(media_type)),
            Err(InspectionError::Rejected(rejection)) => Ok(Err(rejection)),
            Err(InspectionError::Unreadable(error)) => Err(StoreError::during(failed)(error)),
        }
    }
}

/// What the finding makes of the file.
fn conclude(file: &File, finding: &Finding, now: Timestamp) -> Option<FileStep> {
    let (after, action) = match finding {
        Finding::Good(content) => {
            (file_protocol::accept(file, content.clone()), Some(AuditAction::FileUploaded))
        }
        Finding::Bad(reason) => {
            (file_protocol::reject(file, *reason, now), Some(AuditAction::FileRejected))
        }
        Finding::Later(progress, due_at) => {
            (file_protocol::pause_check(file, Some(progress.clone()), *due_at), None)
        }
        Finding::Nothing => {
            let checking = matches!(file.state, FileState::Checking(_));
            let after = checking.then(|| file_protocol::delete(file, now)).flatten();
            (after, Some(AuditAction::UploadAborted))
        }
    };
    after.map(|after| FileStep { after, action })
}
