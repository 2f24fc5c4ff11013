//! Checks files that did not come whole with a request, or that are to be scanned.
//!
//! S3's event starts it, and the scan's; a schedule continues what is left. Events come once, more
//! often, late or never.

use std::time::Instant;

use serde_json::{Map, Value, json};
use share_contract::settings::PUBLIC_BASE_URL;
use share_model::Job;
use share_runtime::{DirectFunction, NotDone};
use share_store::{Clock, Files, Platform, RequestContext, StartError};

use super::{FILES_A_RUN, RUN, run_id};
use crate::file_check::FileCheck;

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct CheckFile {
    files: Files,
    check: FileCheck,
    public_base_url: String,
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
        let (deadline, request_id) = (Instant::now() + RUN, run_id(&event));
        let context = RequestContext { clock, request_id: &request_id };
        if let Some(key) = object_key(&event) {
            // What is not named by a file's id is not ours.
            let Ok(id) = key.parse() else { return Ok(json!({ "checked": 0 })) };
            self.check.run(id, &self.public_base_url, deadline, context).await?;
            return Ok(json!({ "checked": 1 }));
        }
        let due = self.files.due(Job::Check, clock, FILES_A_RUN).await?;
        let (mut checked, mut failed) = (0, 0);
        for id in due.into_iter().take_while(|_| Instant::now() < deadline) {
            match self.check.run(id, &self.public_base_url, deadline, context).await {
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
