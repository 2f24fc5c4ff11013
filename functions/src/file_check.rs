//! The check of one file: its bytes are put together if nobody has done that, digested and
//! inspected; the malware scan is awaited; then the file is available, or not.
//!
//! Each run asks the record what is to be done, so any number of runs do no harm.

use std::convert::Infallible;
use std::time::Instant;

use jiff::{SignedDuration, Timestamp};
use share_contract::settings::{ALLOWED_FILE_TYPES, CHECK_SLICE_BYTES, MALWARE_SCAN, MalwareScan};
use share_model::{
    AllowedFileTypes, AuditAction, Check, CheckProgress, Content, File, FileId, FileState,
    InspectionError, Rejection, file_protocol,
};
use share_store::{
    Actor, Applied, FileChanges, FileStep, ObjectReader, Objects, Platform, RequestContext,
    StartError, StoreError,
};
use tokio::runtime::Handle;

use crate::recipient_mails::RecipientMails;

/// When to look again for the result of the scan, in case its event does not come.
const SCAN_PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// Checks files, for the job and for a function that waits for it.
pub(crate) struct FileCheck {
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
    Later(CheckProgress, Timestamp),
    /// There are no bytes, and there will be none.
    Nothing,
}

impl FileCheck {
    /// # Errors
    /// When a setting is missing or wrong.
    pub(crate) fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            mails: RecipientMails::connect(platform)?,
            allowed: ALLOWED_FILE_TYPES.read(platform.environment())?,
            slice_bytes: CHECK_SLICE_BYTES.read(platform.environment())?,
            scan: MALWARE_SCAN.read(platform.environment())?,
        })
    }

    /// Does what is to be done with the file now, if it is being checked, or as much of it as can be
    /// done before `deadline`. Gives the file when it is another one afterwards: available, rejected,
    /// deleted, or to be looked at later. `base` is the address of the API, for mails.
    ///
    /// # Errors
    /// When S3 or the tables do not answer. The same again goes on.
    pub(crate) async fn run(
        &self,
        id: FileId,
        base: &str,
        deadline: Instant,
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
        let finding = self.look(&file, check, deadline, context).await?;
        let conclude = |current: &File, now| {
            // Whoever has claimed it since may be bringing its bytes.
            let is_vain = matches!(finding, Finding::Nothing) && current.revision != file.revision;
            Ok::<_, Infallible>((!is_vain).then(|| conclude(current, &finding, now)).flatten())
        };
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
        deadline: Instant,
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
        // Of a text every byte counts, and each is read once.
        let text_type = match self.allowed.text_check(&file.filename) {
            Ok(text_type) => text_type,
            Err(rejection) => return Ok(Finding::Bad(rejection)),
        };
        let progress = check.progress.clone().unwrap_or_else(|| CheckProgress {
            text: text_type.as_ref().map(|(text, _)| text.clone()),
            ..CheckProgress::default()
        });
        let progress = match self.read(file.id, length, progress, deadline).await? {
            Ok(progress) if progress.digest.bytes() < length => {
                return Ok(Finding::Later(progress, now()));
            }
            Ok(progress) => progress,
            Err(rejection) => return Ok(Finding::Bad(rejection)),
        };
        let sha256 = progress.digest.clone().finish();
        if file.promised_sha256.is_some_and(|promised| promised != sha256) {
            return Ok(Finding::Bad(Rejection::DigestMismatch));
        }
        let content_type = match (progress.text.clone(), text_type) {
            (Some(text), Some((_, media_type))) => text.finish().map(|()| media_type),
            _ => self.inspect(file, length).await?,
        };
        let content_type = match content_type {
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

    /// Digests the bytes from where it was left, and looks at them when they are a text: to the end,
    /// for one slice, or until the deadline. What was read before S3 broke off counts.
    async fn read(
        &self,
        id: FileId,
        length: u64,
        mut progress: CheckProgress,
        deadline: Instant,
    ) -> Result<Result<CheckProgress, Rejection>, StoreError> {
        let start = progress.digest.bytes();
        if start >= length {
            return Ok(Ok(progress));
        }
        let mut body = self.objects.open_from(id, start).await?;
        while let Some(piece) = body.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(_) if progress.digest.bytes() > start => break,
                Err(error) => return Err(StoreError::during("read an object")(error)),
            };
            progress.digest.add(&piece);
            if let Some(Err(rejection)) = progress.text.as_mut().map(|text| text.update(&piece)) {
                return Ok(Err(rejection));
            }
            let read = progress.digest.bytes() - start;
            if read >= self.slice_bytes || Instant::now() >= deadline {
                break;
            }
        }
        Ok(Ok(progress))
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
            (file_protocol::accept(file, content.clone()), Some(AuditAction::FileUploaded.into()))
        }
        Finding::Bad(reason) => {
            let action = AuditAction::FileRejected.with(reason);
            (file_protocol::reject(file, *reason, now), Some(action))
        }
        Finding::Later(progress, due_at) => {
            (file_protocol::pause_check(file, Some(progress.clone()), *due_at), None)
        }
        Finding::Nothing => {
            let checking = matches!(file.state, FileState::Checking(_));
            let after = checking.then(|| file_protocol::delete(file, now)).flatten();
            (after, Some(AuditAction::UploadAborted.with("nothing was uploaded")))
        }
    };
    after.map(|after| FileStep { after, action })
}
