//! `upload_abort`: the uploader gives an upload or an import up.

use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request, log_failure};
use share_model::file_protocol::{self, UploadRefusal};
use share_model::{AuditAction, File, FileId};
use share_store::{Applied, FileChanges, FileStep, Objects, Platform, StartError};

use super::own;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct AbortUpload {
    authenticator: Authenticator,
    changes: FileChanges,
    objects: Objects,
}

impl Endpoint for AbortUpload {
    const NAME: &'static str = "AbortUpload";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::UPLOAD_ABORT];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<FileId>)?; // 400
        let id = id.ok_or(ErrorCode::UploadUnknown)?;
        own(self.changes.files.find(id).await?, &ops)?; // 404, 503
        let actor = request.actor(ops.id);
        let abort = |file: &File, now| {
            let action = Some(AuditAction::UploadAborted.into());
            Ok(file_protocol::abort(file, now)?.map(|after| FileStep { after, action }))
        };
        let file = match self.changes.apply(id, actor, abort).await? {
            Applied::Changed(file) | Applied::Unchanged(file) => file,
            Applied::Refused(UploadRefusal::Completed) => {
                return Err(ErrorCode::UploadCompleted.into()); // 409
            }
            Applied::Refused(_) | Applied::Absent | Applied::QuotaExceeded => {
                return Err(ErrorCode::UploadUnknown.into()); // 404
            }
        };
        // It is decided. What S3 does not remove now, a job removes later.
        if let Err(error) = self.changes.remove_leftover(&file, &self.objects, actor).await {
            log_failure(request.id(), &error);
        }
        Ok(Answer::no_content())
    }
}
