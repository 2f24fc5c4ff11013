//! Erases what is left of closed accounts.

use std::time::Instant;

use serde_json::{Map, Value, json};
use share_runtime::{DirectFunction, NotDone};
use share_store::{Actor, Clock, Erasure, Platform, RequestContext, StartError};

use super::{RUN, goes_on, run_id};

/// How many accounts a run takes up at most.
const ACCOUNTS_A_RUN: usize = 100;

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct EraseAccounts {
    erasure: Erasure,
}

impl DirectFunction for EraseAccounts {
    const NAME: &'static str = "EraseAccounts";

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { erasure: Erasure::connect(platform)? })
    }

    async fn invoke(&self, event: Map<String, Value>, clock: &Clock) -> Result<Value, NotDone> {
        let (begun, request_id) = (Instant::now(), run_id(&event));
        let actor =
            Actor { user: None, context: RequestContext { clock, request_id: &request_id } };
        let due = self.erasure.due(ACCOUNTS_A_RUN).await?;
        let (mut erased, mut failed) = (0, 0);
        for leftover in due.iter().take_while(|_| goes_on(begun)) {
            match self.erasure.erase(leftover, actor, begun + RUN).await {
                Ok(()) => erased += 1,
                // One that fails must not keep the job from the others.
                Err(error) => {
                    share_http::log_failure(&request_id, &error);
                    failed += 1;
                }
            }
        }
        Ok(json!({ "erased": erased, "failed": failed }))
    }
}
