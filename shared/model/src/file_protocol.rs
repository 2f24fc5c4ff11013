//! What each request and each job makes of a file.
//!
//! A function here takes the record as it was read, and gives the record afterwards, or a refusal.
//! `FileChanges::apply` writes it on condition that the record is still the one that was read. So each
//! step is decided in one place, before anything is done in S3; what was decided can be done by
//! anyone, and any number of times, and a job does it when nobody else has.

use jiff::{SignedDuration, Timestamp};

#[cfg(test)]
mod model_check;

use crate::{
    Check, CheckProgress, Content, ContentDigest, Deleted, File, FileId, FileName, FileState,
    Import, Leftover, LinkNote, Recipients, Rejected, Rejection, Upload, User,
};

/// How long an upload can take. The bucket's rule that aborts uploads says the same.
pub const UPLOAD_LIFETIME: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long a job leaves a file to whoever is at it: longer than a function can run.
pub const CLAIM: SignedDuration = SignedDuration::from_mins(16);

/// How long a job leaves it to the request that completes an upload, and to S3's event, to have a file
/// checked: longer than that function can run.
pub const ASSEMBLY: SignedDuration = SignedDuration::from_mins(2);

/// The smallest part, but for the last one: 8 MiB. S3 takes 5.
pub const LEAST_PART_BYTES: u64 = 8 * 1024 * 1024;

/// S3 takes 10,000 parts.
pub const MOST_PARTS: u64 = 10_000;

/// The largest file: 5 TiB. S3 takes 10,000 parts of 5 GiB, which is nearly ten times as much.
pub const MOST_BYTES: u64 = 5 * 1024 * 1024 * 1024 * 1024;

/// How often an import can break off in a row without a new part.
const MOST_FAILURES: u32 = 5;

/// After the first time, how long it waits; each time thrice as long.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_secs(10);
const PAUSE_GROWTH: i32 = 3;

/// What an uploader says of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct NewFile {
    /// Identity.
    pub id: FileId,
    /// Name.
    pub filename: FileName,
    /// The digest that the bytes are to have, if the uploader knows it.
    pub promised_sha256: Option<ContentDigest>,
    /// Whom it is for.
    pub recipients: Recipients,
    /// Whether they get a mail once it is available.
    pub notify_recipients: bool,
    /// Whether the uploader is told of the first complete download of each link.
    pub notify: bool,
    /// What the uploader wants to remember.
    pub note: Option<LinkNote>,
    /// The first moment at which it is no longer available.
    pub expires_at: Option<Timestamp>,
}

/// What the source of an import says of a file from whose beginning it sends it.
#[derive(Debug, Clone, PartialEq)]
pub struct BeginImport {
    /// S3's own id of the upload that takes the bytes. It has no parts yet.
    pub s3_upload: String,
    /// The name that the file gets, when it has none yet.
    pub filename: Option<FileName>,
    /// Bytes, when the source says how many.
    pub size: Option<u64>,
    /// What the source calls this version of the file, when it can continue it.
    pub validator: Option<String>,
}

/// Why an upload does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadRefusal {
    /// It was aborted, or its time is over.
    Ended,
    /// It is complete.
    Completed,
    /// It is an import: its bytes do not come from the uploader.
    Imported,
}

/// What an uploader changes of a file. `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileEdit {
    /// Another name. Its extension stays.
    pub filename: Option<FileName>,
    /// Another note, or none.
    pub note: Option<Option<LinkNote>>,
    /// Another end, or none.
    pub expires_at: Option<Option<Timestamp>>,
    /// Other recipients.
    pub recipients: Option<Recipients>,
    /// Whether they get a mail once it is available.
    pub notify_recipients: Option<bool>,
}

/// Bytes of each part but the last, for a file of this size: `max(8 MiB, size / 10,000)`, rounded
/// up.
#[must_use]
pub fn part_size(size: u64) -> u64 {
    size.div_ceil(MOST_PARTS).max(LEAST_PART_BYTES)
}

/// How many parts a file of this size has.
#[must_use]
pub fn parts(size: u64, part_size: u64) -> u64 {
    size.div_ceil(part_size)
}

/// Bytes of the part with this number, counted from 1; `None` when there is no such part.
#[must_use]
pub fn part_length(size: u64, part_size: u64, number: u64) -> Option<u64> {
    let before = number.checked_sub(1)?.checked_mul(part_size)?;
    let left = size.checked_sub(before).filter(|left| *left > 0)?;
    Some(left.min(part_size))
}

/// A file whose bytes come in parts.
#[must_use]
pub fn announce(new: NewFile, size: Option<u64>, upload: Upload, uploader: &User) -> File {
    File::new(new, size, FileState::Uploading(upload), uploader)
}

/// A file whose bytes have been inspected already and are on their way to S3 at once.
#[must_use]
pub fn receive(new: NewFile, size: u64, uploader: &User, now: Timestamp) -> File {
    let check = Check { s3_upload: None, due_at: now + CLAIM, progress: None };
    File::new(new, Some(size), FileState::Checking(check), uploader)
}

/// All parts are there: from now on nobody can abort the upload. `None` when it is complete already.
///
/// # Errors
/// When the upload has ended, or is an import.
pub fn complete(file: &File, now: Timestamp) -> Result<Option<File>, UploadRefusal> {
    match &file.state {
        FileState::Uploading(Upload { import: Some(_), .. }) => Err(UploadRefusal::Imported),
        FileState::Uploading(upload) if upload.ends_at > now => {
            Ok(Some(file.with(to_check(upload, now + ASSEMBLY))))
        }
        FileState::Uploading(_) | FileState::Deleted(_) => Err(UploadRefusal::Ended),
        FileState::Checking(_) | FileState::Available(_) | FileState::Rejected(_) => Ok(None),
    }
}

/// The uploader gives the upload up. `None` when it has ended already.
///
/// # Errors
/// When it is complete.
pub fn abort(file: &File, now: Timestamp) -> Result<Option<File>, UploadRefusal> {
    match &file.state {
        FileState::Uploading(_) => Ok(delete(file, now)),
        FileState::Deleted(_) => Ok(None),
        FileState::Checking(_) | FileState::Available(_) | FileState::Rejected(_) => {
            Err(UploadRefusal::Completed)
        }
    }
}

/// A job takes the file on, so that no other one does for a while. `None` when it is not due for
/// that job.
#[must_use]
pub fn claim(file: &File, now: Timestamp) -> Option<File> {
    let mut claimed = file.with(file.state.clone());
    let due_at = match &mut claimed.state {
        FileState::Uploading(upload) => &mut upload.import.as_mut()?.due_at,
        FileState::Checking(check) => &mut check.due_at,
        FileState::Rejected(Rejected { leftover, .. })
        | FileState::Deleted(Deleted { leftover, .. }) => &mut leftover.as_mut()?.due_at,
        FileState::Available(_) => return None,
    };
    *due_at = now + CLAIM;
    Some(claimed)
}

/// The check is to be continued at `due_at`. `None` when there is none under way.
#[must_use]
pub fn pause_check(
    file: &File,
    progress: Option<CheckProgress>,
    due_at: Timestamp,
) -> Option<File> {
    let FileState::Checking(check) = &file.state else { return None };
    let check = Check { due_at, progress, ..check.clone() };
    Some(file.with(FileState::Checking(check)))
}

/// The import is to be continued as `import` says. `None` when there is none under way.
#[must_use]
pub fn pause_import(file: &File, import: Import) -> Option<File> {
    let FileState::Uploading(upload) = &file.state else { return None };
    upload.import.as_ref()?;
    let upload = Upload { import: Some(import), ..upload.clone() };
    Some(file.with(FileState::Uploading(upload)))
}

/// The import begins, or begins anew, with what the source says of the file. `None` when there is
/// none under way.
#[must_use]
pub fn begin_import(file: &File, begin: BeginImport) -> Option<File> {
    let FileState::Uploading(upload) = &file.state else { return None };
    let import = upload.import.clone()?;
    let import = Import {
        unnamed: import.unnamed && begin.filename.is_none(),
        validator: begin.validator,
        ..import
    };
    let upload = Upload { s3_upload: begin.s3_upload, import: Some(import), ..upload.clone() };
    Some(File {
        filename: begin.filename.unwrap_or_else(|| file.filename.clone()),
        size: begin.size,
        ..file.with(FileState::Uploading(upload))
    })
}

/// The import broke off, and is tried again. `None` when there is none under way, or it broke off
/// too often in a row without a new part.
#[must_use]
pub fn retry_import(file: &File, progress: bool, now: Timestamp) -> Option<File> {
    let FileState::Uploading(Upload { import: Some(import), .. }) = &file.state else {
        return None;
    };
    // Without a validator the next run begins anew, so that nothing was gained.
    let progress = progress && import.validator.is_some();
    let failures = if progress { 1 } else { import.failures + 1 };
    if failures >= MOST_FAILURES {
        return None;
    }
    let due_at = now + FIRST_PAUSE * PAUSE_GROWTH.pow(failures - 1);
    pause_import(file, Import { due_at, failures, ..import.clone() })
}

/// The import cannot be done. `detail` says why in more words than `reason`. `None` when there is
/// none under way.
#[must_use]
pub fn fail_import(
    file: &File,
    reason: Rejection,
    detail: Option<String>,
    now: Timestamp,
) -> Option<File> {
    let FileState::Uploading(Upload { import: Some(_), .. }) = &file.state else { return None };
    let mut failed = reject(file, reason, now)?;
    if let FileState::Rejected(rejected) = &mut failed.state {
        rejected.detail = detail;
    }
    Some(failed)
}

/// The import has brought all bytes. `None` when there is none under way.
#[must_use]
pub fn end_import(file: &File, size: u64, now: Timestamp) -> Option<File> {
    let FileState::Uploading(upload) = &file.state else { return None };
    upload.import.as_ref()?;
    Some(File { size: Some(size), ..file.with(to_check(upload, now + CLAIM)) })
}

/// The check found nothing wrong. `None` when there is none under way.
#[must_use]
pub fn accept(file: &File, content: Content) -> Option<File> {
    let FileState::Checking(_) = file.state else { return None };
    Some(file.with(FileState::Available(content)))
}

/// The file is not taken. `None` when it is not on its way any more.
#[must_use]
pub fn reject(file: &File, reason: Rejection, now: Timestamp) -> Option<File> {
    let s3_upload = match &file.state {
        FileState::Uploading(upload) => Some(upload.s3_upload.clone()),
        FileState::Checking(check) => check.s3_upload.clone(),
        FileState::Available(_) | FileState::Rejected(_) | FileState::Deleted(_) => return None,
    };
    let leftover = Some(Leftover { s3_upload, due_at: now });
    let rejected = Rejected { reason, detail: None, rejected_at: now, leftover };
    Some(file.with(FileState::Rejected(rejected)))
}

/// What the uploader changes. `None` when the file is deleted.
#[must_use]
pub fn edit(file: &File, edit: FileEdit) -> Option<File> {
    if matches!(file.state, FileState::Deleted(_)) {
        return None;
    }
    let mut edited = file.with(file.state.clone());
    edited.filename = edit.filename.unwrap_or(edited.filename);
    edited.note = edit.note.unwrap_or(edited.note);
    edited.expires_at = edit.expires_at.unwrap_or(edited.expires_at);
    edited.recipients = edit.recipients.unwrap_or(edited.recipients);
    edited.notify_recipients = edit.notify_recipients.unwrap_or(edited.notify_recipients);
    Some(edited)
}

/// The file is over, whatever it was. `None` when it is already.
#[must_use]
pub fn delete(file: &File, now: Timestamp) -> Option<File> {
    let s3_upload = match &file.state {
        FileState::Uploading(upload) => Some(upload.s3_upload.clone()),
        FileState::Checking(check) => check.s3_upload.clone(),
        FileState::Available(_) => None,
        FileState::Rejected(rejected) => {
            rejected.leftover.as_ref().and_then(|leftover| leftover.s3_upload.clone())
        }
        FileState::Deleted(_) => return None,
    };
    let due_at = match &file.state {
        // Whoever has received its bytes may still be about to put them, and brings no upload that
        // could be aborted first.
        FileState::Checking(Check { s3_upload: None, due_at, .. }) => now.max(*due_at),
        _ => now,
    };
    let leftover = Some(Leftover { s3_upload, due_at });
    Some(file.with(FileState::Deleted(Deleted { deleted_at: now, leftover })))
}

/// What the job for removals makes of the file at its time: gives up an upload, or ends a file that
/// is past its end. `None` when there is nothing to decide.
#[must_use]
pub fn end(file: &File, now: Timestamp) -> Option<File> {
    let over = match &file.state {
        FileState::Uploading(upload) => upload.ends_at <= now,
        FileState::Available(_) => file.expires_at.is_some_and(|end| end <= now),
        FileState::Checking(_) | FileState::Rejected(_) | FileState::Deleted(_) => false,
    };
    over.then(|| delete(file, now)).flatten()
}

/// Nothing of the file is left in S3. `None` when that is known.
#[must_use]
pub fn removed(file: &File) -> Option<File> {
    let mut removed = file.with(file.state.clone());
    match &mut removed.state {
        FileState::Rejected(Rejected { leftover, .. })
        | FileState::Deleted(Deleted { leftover, .. }) => leftover.take()?,
        _ => return None,
    };
    Some(removed)
}

fn to_check(upload: &Upload, due_at: Timestamp) -> FileState {
    let s3_upload = Some(upload.s3_upload.clone());
    FileState::Checking(Check { s3_upload, due_at, progress: None })
}

impl File {
    fn new(new: NewFile, size: Option<u64>, state: FileState, uploader: &User) -> Self {
        Self {
            id: new.id,
            filename: new.filename,
            size,
            promised_sha256: new.promised_sha256,
            uploaded_by: uploader.username.clone(),
            uploader: Some(uploader.id),
            recipients: new.recipients,
            notify_recipients: new.notify_recipients,
            notify: new.notify,
            note: new.note,
            expires_at: new.expires_at,
            state,
            revision: 1,
        }
    }

    /// The next revision of the record.
    fn with(&self, state: FileState) -> Self {
        Self { state, revision: self.revision + 1, ..self.clone() }
    }
}

#[cfg(test)]
mod import_tests;
#[cfg(test)]
mod tests;
