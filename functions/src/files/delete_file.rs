//! `file_delete`: the end of a file and its links.

use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, NoJson, Request, log_failure};
use share_model::{AuditAction, File, FileId, file_protocol};
use share_store::{Applied, FileChanges, FileStep, Objects, Platform, StartError};

use super::managed_by;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct DeleteFile {
    authenticator: Authenticator,
    changes: FileChanges,
    objects: Objects,
}

impl Endpoint for DeleteFile {
    const NAME: &'static str = "DeleteFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_DELETE];
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let user = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("file_id", str::parse::<FileId>)?; // 400
        let id = id.ok_or(ErrorCode::FileUnknown)?;
        let file = managed_by(&user, self.changes.files.find(id).await?)?; // 404, 503
        let actor = request.actor(user.id);
        let delete = |file: &File, now| {
            let after = file_protocol::delete(file, now);
            let action = Some(AuditAction::FileDeleted.into());
            Ok::<_, ErrorCode>(after.map(|after| FileStep { after, action }))
        };
        let file = match self.changes.apply(file.id, actor, delete).await? {
            Applied::Changed(file) | Applied::Unchanged(file) => file,
            Applied::Refused(code) => return Err(code.into()),
            Applied::Absent | Applied::QuotaExceeded => return Err(ErrorCode::FileUnknown.into()),
        };
        // It is decided: nobody can list, link or download it. What S3 does not remove now, or what
        // may still come there, a job removes later.
        if file.due().is_some_and(|(_, at)| at <= (request.clock())())
            && let Err(error) = self.changes.remove_leftover(&file, &self.objects, actor).await
        {
            log_failure(request.id(), &error);
        }
        Ok(Answer::no_content())
    }
}
