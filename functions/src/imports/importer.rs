//! Brings a file from where it is into S3, part by part.
//!
//! Where an import stands is what S3 has: the parts, each of which was sent whole. So whoever
//! continues it, after a pause or a crash, asks the source for the rest, and begins anew when the
//! source cannot continue, or has another file now.

use std::convert::Infallible;
use std::mem;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use share_contract::settings::{ALLOWED_FILE_TYPES, IMPORT_MAX_BYTES};
use share_fetch::{AllowedHosts, FetchError, Fetched, Fetcher, Limits, Source, Validator};
use share_http::log_failure;
use share_model::file_protocol::{self, BeginImport};
use share_model::{
    AllowedFileTypes, AuditAction, File, FileName, FileState, Import, Rejection, Upload,
};
use share_store::{
    Actor, Applied, FileChanges, FileStep, Objects, Platform, StartError, StoreError, UploadedPart,
};
use tokio::time::{Instant, timeout_at};

use super::allowed_hosts;

/// How long S3 may take to put the parts together when the time for the bytes is over. It goes on
/// when nobody waits.
const ASSEMBLY: Duration = Duration::from_secs(5);

/// Fetches files, and puts their bytes into S3. Holds one part in memory.
pub struct Importer {
    changes: FileChanges,
    objects: Objects,
    allowed_types: AllowedFileTypes,
    allowed_hosts: AllowedHosts,
    fetcher: Fetcher,
}

/// An import while it runs.
struct Run<'a> {
    file: File,
    /// Whether it has brought a part.
    progress: bool,
    actor: Actor<'a>,
    deadline: Instant,
}

/// Why a run ends without the last byte.
enum Stop {
    /// Its time is over.
    Deadline,
    /// The source failed.
    Source(FetchError),
    /// The file is not taken.
    Rejected(Rejection, Option<String>),
    /// Somebody has ended the import.
    Over(Box<File>),
    /// A store failed.
    Store(StoreError),
}

impl Stop {
    fn over(file: &File) -> Self {
        Self::Over(Box::new(file.clone()))
    }
}

impl From<FetchError> for Stop {
    fn from(error: FetchError) -> Self {
        Self::Source(error)
    }
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Importer {
    /// # Errors
    /// When a setting is missing or wrong, or there are no root certificates.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        let allowed_hosts = allowed_hosts(platform)?;
        let limits = Limits::new(IMPORT_MAX_BYTES.read(platform.environment())?);
        let fetcher = Fetcher::new(allowed_hosts.clone(), limits);
        Ok(Self {
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            allowed_types: ALLOWED_FILE_TYPES.read(platform.environment())?,
            allowed_hosts,
            fetcher: fetcher.map_err(StoreError::during("read root certificates"))?,
        })
    }

    /// Imports a file that the caller has claimed, until `deadline`, and gives its record: being
    /// checked when all bytes are there, rejected when they cannot be had, and uploading when a job
    /// is to go on.
    ///
    /// # Errors
    /// When S3 or the tables do not answer. A job goes on once the claim is over.
    pub async fn run(
        &self,
        file: File,
        actor: Actor<'_>,
        deadline: Instant,
    ) -> Result<File, StoreError> {
        let mut run = Run { file, progress: false, actor, deadline };
        match self.bring(&mut run).await {
            Ok(size) => self.end(run, size).await,
            // Without a validator the next run begins anew.
            Err(Stop::Deadline)
                if run.progress
                    && under_way(&run.file).is_some_and(|(_, it)| it.validator.is_some()) =>
            {
                self.pause(run).await
            }
            Err(Stop::Deadline) => self.retry(run, FetchError::TooSlow).await,
            Err(Stop::Source(error)) if error.is_passing() => self.retry(run, error).await,
            Err(Stop::Source(error)) => {
                let reason = match error {
                    FetchError::TooLarge(_) => Rejection::TooLarge,
                    _ => Rejection::ImportFailed,
                };
                self.fail(run, reason, Some(error.to_string())).await
            }
            Err(Stop::Rejected(reason, detail)) => self.fail(run, reason, detail).await,
            Err(Stop::Over(file)) => {
                // A part that was on its way when the upload was aborted can have survived that.
                if let Some((upload, _)) = under_way(&run.file) {
                    self.objects.abort_upload(file.id, &upload.s3_upload).await?;
                }
                Ok(*file)
            }
            Err(Stop::Store(error)) => Err(error),
        }
    }

    /// Brings the bytes that S3 does not have, and gives the size of the whole file.
    async fn bring(&self, run: &mut Run<'_>) -> Result<u64, Stop> {
        let Some((upload, import)) = under_way(&run.file) else {
            return Err(Stop::over(&run.file));
        };
        let (upload, import) = (upload.clone(), import.clone());
        let source = Source::parse(&import.url, &self.allowed_hosts)?;
        // None when it was aborted to begin anew, and nothing came of that.
        let parts = self.objects.parts(run.file.id, &upload.s3_upload).await?;
        let received = parts.as_deref().map(in_sequence).unwrap_or_default();
        let all = received.iter().sum::<u64>();
        if all > 0 && run.file.size == Some(all) {
            return Ok(all);
        }
        let whole = received.iter().take_while(|size| **size == upload.part_size).count();
        let offset = whole as u64 * upload.part_size;
        let validator = import.validator.as_deref().and_then(|text| Validator::parse(text).ok());
        let fetched = match validator.filter(|_| offset > 0) {
            Some(validator) => {
                let fetching = self.fetcher.fetch_from(&source, offset, &validator);
                within(run.deadline, fetching).await?
            }
            None => within(run.deadline, self.fetcher.fetch(&source)).await?,
        };
        if fetched.starts_at == 0 {
            let s3_upload = match parts {
                Some(_) if offset == 0 => upload.s3_upload,
                // Parts of another version, perhaps more than this one has. What a crash leaves after
                // the next line is found above.
                _ => {
                    self.objects.abort_upload(run.file.id, &upload.s3_upload).await?;
                    self.objects.begin_upload(run.file.id).await?
                }
            };
            let begin = BeginImport {
                s3_upload,
                filename: fetched.file_name.as_deref().and_then(FileName::nearest),
                size: fetched.length,
                validator: fetched.validator.as_ref().map(|it| it.as_str().to_owned()),
            };
            self.begin(run, begin, import.unnamed).await?;
        }
        self.copy(run, fetched).await
    }

    /// Records what the source says of the file, before its first byte. Only a file that is unnamed
    /// gets its name from there.
    async fn begin(
        &self,
        run: &mut Run<'_>,
        mut begin: BeginImport,
        unnamed: bool,
    ) -> Result<(), Stop> {
        let sent = begin.filename.take();
        if unnamed {
            let name = sent.unwrap_or_else(|| run.file.filename.clone());
            if !self.allowed_types.allow(&name) {
                return Err(Stop::Rejected(Rejection::NotAllowed, None));
            }
            begin.filename = Some(name);
        }
        let step = |file: &File, _| unaudited(file_protocol::begin_import(file, begin.clone()));
        match self.changes.apply(run.file.id, run.actor, step).await? {
            Applied::Changed(file) => run.file = file,
            Applied::Unchanged(file) => return Err(Stop::over(&file)),
            Applied::QuotaExceeded => {
                return Err(Stop::Rejected(Rejection::QuotaExceeded, None));
            }
            Applied::Absent => return Err(Stop::over(&run.file)),
            Applied::Refused(never) => match never {},
        }
        Ok(())
    }

    /// Copies the body into S3, a part at a time, and gives where it ends in the file.
    async fn copy(&self, run: &mut Run<'_>, mut fetched: Fetched) -> Result<u64, Stop> {
        let Some((upload, _)) = under_way(&run.file) else {
            return Err(Stop::over(&run.file));
        };
        let (upload, part_size) = (upload.s3_upload.clone(), upload.part_size);
        let most = usize::try_from(part_size).unwrap_or(usize::MAX);
        let mut number = fetched.starts_at / part_size + 1;
        let mut size = fetched.starts_at;
        let mut part = BytesMut::new();
        while let Some(mut chunk) = within(run.deadline, fetched.body.chunk()).await? {
            size += chunk.len() as u64;
            while !chunk.is_empty() {
                if part.is_empty() {
                    part.reserve(most);
                }
                let room = most.saturating_sub(part.len());
                part.extend_from_slice(&chunk.split_to(room.min(chunk.len())));
                if part.len() == most {
                    self.send(run, &upload, number, mem::take(&mut part).freeze()).await?;
                    number += 1;
                }
            }
        }
        if size == 0 {
            let detail = Some("the file is empty".to_owned());
            return Err(Stop::Rejected(Rejection::ImportFailed, detail));
        }
        if !part.is_empty() {
            self.send(run, &upload, number, part.freeze()).await?;
        }
        Ok(size)
    }

    async fn send(
        &self,
        run: &mut Run<'_>,
        s3_upload: &str,
        number: u64,
        part: Bytes,
    ) -> Result<(), Stop> {
        // Only when the limit was raised after the size of the parts was chosen.
        let number =
            u32::try_from(number).ok().filter(|it| u64::from(*it) <= file_protocol::MOST_PARTS);
        let number = number.ok_or(Stop::Rejected(Rejection::TooLarge, None))?;
        let Err(error) = self.objects.send_part(run.file.id, s3_upload, number, part).await else {
            run.progress = true;
            return Ok(());
        };
        // There is no upload any more when the import has been ended.
        match self.changes.files.find(run.file.id).await? {
            Some(file) if under_way(&file).is_none() => Err(Stop::over(&file)),
            _ => Err(error.into()),
        }
    }

    /// All bytes are there.
    async fn end(&self, run: Run<'_>, size: u64) -> Result<File, StoreError> {
        let step = |file: &File, now| unaudited(file_protocol::end_import(file, size, now));
        let file = match self.changes.apply(run.file.id, run.actor, step).await? {
            Applied::Changed(file) => file,
            Applied::Unchanged(file) => return Ok(file),
            Applied::QuotaExceeded => {
                return self.fail(run, Rejection::QuotaExceeded, None).await;
            }
            Applied::Absent => return Ok(run.file),
            Applied::Refused(never) => match never {},
        };
        // It is decided. When S3 does not do it now, the job that checks the file does it later.
        if let FileState::Checking(check) = &file.state
            && let Some(s3_upload) = &check.s3_upload
        {
            let assembling = self.objects.assemble(file.id, s3_upload);
            if let Ok(Err(error)) = timeout_at(run.deadline + ASSEMBLY, assembling).await {
                log_failure(run.actor.context.request_id, &error);
            }
        }
        Ok(file)
    }

    /// A job goes on at once.
    async fn pause(&self, run: Run<'_>) -> Result<File, StoreError> {
        let step = |file: &File, now| {
            let import = under_way(file).map(|(_, import)| import.clone());
            let import = import.map(|import| Import { due_at: now, failures: 0, ..import });
            unaudited(import.and_then(|import| file_protocol::pause_import(file, import)))
        };
        self.change(run, step).await
    }

    /// A job goes on later, unless the source has failed too often.
    async fn retry(&self, run: Run<'_>, error: FetchError) -> Result<File, StoreError> {
        let progress = run.progress;
        let step = |file: &File, now| match file_protocol::retry_import(file, progress, now) {
            Some(after) => unaudited(Some(after)),
            None => failure(file, Rejection::ImportFailed, Some(error.to_string()), now),
        };
        self.change(run, step).await
    }

    async fn fail(
        &self,
        run: Run<'_>,
        reason: Rejection,
        detail: Option<String>,
    ) -> Result<File, StoreError> {
        self.change(run, |file, now| failure(file, reason, detail.clone(), now)).await
    }

    /// Takes a step that frees bytes, or none, and removes what is not needed any more.
    async fn change(
        &self,
        run: Run<'_>,
        step: impl FnMut(&File, Timestamp) -> Result<Option<FileStep>, Infallible>,
    ) -> Result<File, StoreError> {
        let file = match self.changes.apply(run.file.id, run.actor, step).await? {
            Applied::Changed(file) | Applied::Unchanged(file) => file,
            Applied::Absent | Applied::QuotaExceeded => run.file,
            Applied::Refused(never) => match never {},
        };
        // It is decided. What S3 does not remove now, a job removes later.
        let removed = self.changes.remove_leftover(&file, &self.objects, run.actor).await;
        if let Err(error) = removed {
            log_failure(run.actor.context.request_id, &error);
        }
        Ok(file)
    }
}

fn under_way(file: &File) -> Option<(&Upload, &Import)> {
    let FileState::Uploading(upload) = &file.state else { return None };
    Some((upload, upload.import.as_ref()?))
}

/// The sizes of the parts from the first one on, without a gap.
fn in_sequence(parts: &[UploadedPart]) -> Vec<u64> {
    let numbered = parts.iter().zip(1..).take_while(|(part, number)| part.number == *number);
    numbered.map(|(part, _)| part.size).collect()
}

async fn within<T>(
    deadline: Instant,
    step: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, Stop> {
    // What is ready is given even after the deadline, and a fast source is always ready.
    if Instant::now() >= deadline {
        return Err(Stop::Deadline);
    }
    Ok(timeout_at(deadline, step).await.map_err(|_| Stop::Deadline)??)
}

#[expect(clippy::unnecessary_wraps, reason = "the form that a step has")]
fn unaudited(after: Option<File>) -> Result<Option<FileStep>, Infallible> {
    Ok(after.map(|after| FileStep { after, action: None }))
}

#[expect(clippy::unnecessary_wraps, reason = "the form that a step has")]
fn failure(
    file: &File,
    reason: Rejection,
    detail: Option<String>,
    now: Timestamp,
) -> Result<Option<FileStep>, Infallible> {
    let after = file_protocol::fail_import(file, reason, detail, now);
    let action = Some(AuditAction::FileRejected.with(reason));
    Ok(after.map(|after| FileStep { after, action }))
}
