//! `GET /api/files/{file_id}/receipts`: what happened to every link to a file, page by page.

use serde::Serialize;
use serde_json::value::RawValue;
use share_api::{ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request, Response};
use share_model::{ContentDigest, FileId, Role, SealedReceipt};
use share_store::{Audit, Files, Platform, StartError, StoredReceipt};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListReceipts {
    authenticator: Authenticator,
    files: Files,
    audit: Audit,
    public_url: PublicUrl,
}

/// A receipt, its very text, and the text's hash.
#[derive(Serialize)]
struct Answer {
    receipt: Option<Box<RawValue>>,
    hash: ContentDigest,
}

impl Endpoint for ListReceipts {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            audit: Audit::connect(platform)?,
            public_url: PublicUrl::from_environment(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        self.authenticator.require(Role::Ops, request).await?; // 401, 403
        let id = request.path_parameter("file_id", str::parse::<FileId>)?; // 400
        let file = self.files.on_shelf(id.ok_or(ApiError::FileUnknown)?).await?;
        let file = file.ok_or(ApiError::FileUnknown)?.id; // 404
        let path = format!("/api/files/{file}/receipts");
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let page = self.audit.receipts(file, paging.limit, paging.cursor.as_ref()).await?; // 503
        let receipts: Vec<_> = page.records.iter().map(describe).collect();
        paging.answer(&receipts, page.next.as_ref(), (&self.public_url, request))
    }
}

fn describe(stored: &StoredReceipt) -> Answer {
    let SealedReceipt { text, hash, .. } = &stored.sealed;
    // What is not JSON any more has been tampered with, and must not just be missing.
    Answer { receipt: RawValue::from_string(text.clone()).ok(), hash: *hash }
}
