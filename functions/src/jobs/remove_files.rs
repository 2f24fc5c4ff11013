//! Ends the uploads and files whose time is over, and removes bytes that are left over.

use std::convert::Infallible;
use std::time::Instant;

use serde_json::{Map, Value, json};
use share_model::{AuditAction, File, FileId, FileState, Job, file_protocol};
use share_runtime::{DirectFunction, NotDone};
use share_store::{
    Actor, Applied, Clock, FileChanges, FileStep, Objects, Platform, RequestContext, StartError,
    StoreError,
};

use super::{EXPIRED, FILES_A_RUN, goes_on, run_id};

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct RemoveFiles {
    changes: FileChanges,
    objects: Objects,
}

impl DirectFunction for RemoveFiles {
    const NAME: &'static str = "RemoveFiles";

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { changes: FileChanges::connect(platform)?, objects: Objects::connect(platform)? })
    }

    async fn invoke(&self, event: Map<String, Value>, clock: &Clock) -> Result<Value, NotDone> {
        let (begun, request_id) = (Instant::now(), run_id(&event));
        let context = RequestContext { clock, request_id: &request_id };
        let due = self.changes.files.due(Job::Remove, clock, FILES_A_RUN).await?;
        let (mut removed, mut failed) = (0, 0);
        for id in due.into_iter().take_while(|_| goes_on(begun)) {
            match self.remove(id, context).await {
                Ok(()) => removed += 1,
                // One that S3 does not let go must not keep the job from the others.
                Err(error) => {
                    share_http::log_failure(&request_id, &error);
                    failed += 1;
                }
            }
        }
        Ok(json!({ "removed": removed, "failed": failed }))
    }
}

impl RemoveFiles {
    async fn remove(&self, id: FileId, context: RequestContext<'_>) -> Result<(), StoreError> {
        let Some(file) = self.changes.files.find(id).await? else { return Ok(()) };
        let actor = Actor { user: file.uploader, context };
        let step = |file: &File, now| {
            let action = match file.state {
                FileState::Uploading(_) => AuditAction::UploadAborted,
                _ => AuditAction::FileDeleted,
            };
            let step = match file_protocol::end(file, now) {
                Some(after) => Some(FileStep { after, action: Some(action.with(EXPIRED)) }),
                // Others leave it alone meanwhile. The index of what is due can be late: what is an
                // upload or under check by now is not for this job.
                None => match file.state {
                    FileState::Rejected(_) | FileState::Deleted(_) => {
                        let claimed = file_protocol::claim(file, now);
                        claimed.map(|after| FileStep { after, action: None })
                    }
                    _ => None,
                },
            };
            Ok::<_, Infallible>(step)
        };
        match self.changes.apply(id, actor, step).await? {
            Applied::Changed(file) | Applied::Unchanged(file) => {
                self.changes.remove_leftover(&file, &self.objects, actor).await
            }
            Applied::Refused(_) | Applied::Absent | Applied::QuotaExceeded => Ok(()),
        }
    }
}
