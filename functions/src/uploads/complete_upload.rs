//! `upload_complete`: all parts are there.

use http::StatusCode;
use share_contract::{ErrorCode, FileDetails, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request, log_failure};
use share_model::file_protocol::{self, UploadRefusal};
use share_model::{File, FileId, FileState, Upload};
use share_store::{Applied, FileChanges, FileStep, Objects, Platform, StartError, UploadedPart};

use super::own;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct CompleteUpload {
    authenticator: Authenticator,
    changes: FileChanges,
    objects: Objects,
}

impl Endpoint for CompleteUpload {
    const NAME: &'static str = "CompleteUpload";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::UPLOAD_COMPLETE];
    type Json = FileDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileDetails>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<FileId>)?; // 400
        let id = id.ok_or(ErrorCode::UploadUnknown)?;
        let file = own(self.changes.files.find(id).await?, &ops)?; // 404, 503
        let mut gone = false;
        if let FileState::Uploading(upload @ Upload { import: None, .. }) = &file.state
            && upload.ends_at > request.now()
        {
            match self.objects.parts(id, &upload.s3_upload).await? {
                Some(parts) => expect_all(&file, upload, &parts)?, // 409
                None => gone = true,
            }
        }
        let complete = |file: &File, now| match &file.state {
            // Another request that had completed or aborted it would have changed the record first:
            // S3 has aborted it, and the bytes are lost.
            FileState::Uploading(_) if gone => Err(UploadRefusal::Ended),
            _ => {
                let after = file_protocol::complete(file, now)?;
                Ok(after.map(|after| FileStep { after, action: None }))
            }
        };
        let file = match self.changes.apply(id, request.actor(ops.id), complete).await? {
            Applied::Changed(file) | Applied::Unchanged(file) => file,
            Applied::Refused(UploadRefusal::Imported) | Applied::Absent => {
                return Err(ErrorCode::UploadUnknown.into()); // 404
            }
            Applied::Refused(_) => return Err(ErrorCode::UploadEnded.into()), // 410
            Applied::QuotaExceeded => return Err(ErrorCode::QuotaExceeded.into()), // 409
        };
        // It is decided. When S3 does not do it now, the job that checks the file does it later.
        if let FileState::Checking(check) = &file.state
            && let Some(s3_upload) = &check.s3_upload
            && let Err(error) = self.objects.assemble(id, s3_upload).await
        {
            log_failure(request.id(), &error);
        }
        Ok(Answer::json(StatusCode::ACCEPTED, FileDetails::new(file, 0, 0)))
    }
}

/// That every part is there, and has its length.
fn expect_all(file: &File, upload: &Upload, parts: &[UploadedPart]) -> Result<(), ApiError> {
    let size = file.size.unwrap_or_default();
    let missing = (1..=file_protocol::parts(size, upload.part_size)).filter(|number| {
        let length = file_protocol::part_length(size, upload.part_size, *number);
        let part = parts.iter().find(|part| u64::from(part.number) == *number);
        part.map(|part| part.size) != length
    });
    let mut missing = missing.map(|number| number.to_string());
    let named: Vec<_> = missing.by_ref().take(10).collect();
    if named.is_empty() {
        return Ok(());
    }
    let named = match missing.count() {
        0 => format!("it lacks {}", named.join(", ")),
        more => format!("it lacks {} and {more} more", named.join(", ")),
    };
    Err(ApiError::with(ErrorCode::UploadIncomplete, &[("parts", &named)]))
}
