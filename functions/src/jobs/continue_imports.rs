//! Fetches the files that are to be imported: those that have been asked for, those whose import was
//! paused or broke off, and those that a crash has left. Ends those whose time is over.

use std::convert::Infallible;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use share_contract::settings::IMPORT_MAX_BYTES;
use share_model::{AuditAction, File, FileId, FileState, Import, Job, Upload, file_protocol};
use share_runtime::{DirectFunction, NotDone};
use share_store::{
    Actor, Applied, Clock, FileChanges, FileStep, Objects, Platform, RequestContext, StartError,
    StoreError,
};
use tokio::time::Instant;

use super::{EXPIRED, RUN, run_id};
use crate::imports::Importer;

/// How many files a run fetches at the same time, at most.
const MOST_AT_ONCE: u64 = 4;

/// How much memory their parts may take: the function has 1,769 MB.
const MEMORY_FOR_PARTS: u64 = 1024 * 1024 * 1024;

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct ContinueImports {
    changes: FileChanges,
    objects: Objects,
    importer: Importer,
    at_once: usize,
}

impl DirectFunction for ContinueImports {
    const NAME: &'static str = "ContinueImports";

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let part_size = file_protocol::part_size(IMPORT_MAX_BYTES.read(platform.environment())?);
        let at_once = (MEMORY_FOR_PARTS / part_size).clamp(1, MOST_AT_ONCE);
        Ok(Self {
            at_once: usize::try_from(at_once).unwrap_or(1),
            changes: FileChanges::connect(platform)?,
            objects: Objects::connect(platform)?,
            importer: Importer::connect(platform)?,
        })
    }

    async fn invoke(&self, event: Map<String, Value>, clock: &Clock) -> Result<Value, NotDone> {
        let (deadline, request_id) = (Instant::now() + RUN, run_id(&event));
        let context = RequestContext { clock, request_id: &request_id };
        let (mut imported, mut failed) = (0, 0);
        while Instant::now() < deadline {
            let due = self.changes.files.due(Job::Import, clock, self.at_once).await?;
            let runs = due.into_iter().map(|id| self.import(id, context, deadline));
            let mut taken = 0;
            for outcome in join_all(runs).await {
                match outcome {
                    Ok(due) => taken += u32::from(due),
                    Err(error) => {
                        share_http::log_failure(&request_id, &error);
                        failed += 1;
                    }
                }
            }
            imported += taken;
            // What is due and cannot be taken would be due again at once.
            if taken == 0 {
                break;
            }
        }
        Ok(json!({ "imported": imported, "failed": failed }))
    }
}

impl ContinueImports {
    /// Answers whether there was something to do.
    async fn import(
        &self,
        id: FileId,
        context: RequestContext<'_>,
        deadline: Instant,
    ) -> Result<bool, StoreError> {
        let Some(file) = self.changes.files.find(id).await? else { return Ok(false) };
        let actor = Actor { user: file.uploader, context };
        let step = |file: &File, now: Timestamp| {
            let FileState::Uploading(Upload { import: Some(Import { due_at, .. }), .. }) =
                &file.state
            else {
                return Ok::<_, Infallible>(None);
            };
            // The index lags behind, so another run can have claimed it.
            if *due_at > now {
                return Ok(None);
            }
            Ok(match file_protocol::end(file, now) {
                Some(after) => {
                    let action = Some(AuditAction::UploadAborted.with(EXPIRED));
                    Some(FileStep { after, action })
                }
                None => {
                    file_protocol::claim(file, now).map(|after| FileStep { after, action: None })
                }
            })
        };
        let Applied::Changed(file) = self.changes.apply(id, actor, step).await? else {
            return Ok(false);
        };
        if matches!(file.state, FileState::Uploading(_)) {
            // Boxed, because the AWS SDK's futures are large and nest deeply.
            Box::pin(self.importer.run(file, actor, deadline)).await?;
        } else {
            self.changes.remove_leftover(&file, &self.objects, actor).await?;
        }
        Ok(true)
    }
}
