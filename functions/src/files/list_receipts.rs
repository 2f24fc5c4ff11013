//! `receipt_list`: what happened to every link to a file, page by page.

use share_contract::{ErrorCode, Operation, ReceiptEntry, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_model::FileId;
use share_store::{Audit, Files, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListReceipts {
    authenticator: Authenticator,
    files: Files,
    audit: Audit,
    public_url: PublicUrl,
}

impl Endpoint for ListReceipts {
    const NAME: &'static str = "ListReceipts";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::RECEIPT_LIST];
    type Json = Vec<ReceiptEntry>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            audit: Audit::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<ReceiptEntry>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("file_id", str::parse::<FileId>)?; // 400
        let file = self.files.find(id.ok_or(ErrorCode::FileUnknown)?).await?; // 503
        let file = file.ok_or(ErrorCode::FileUnknown)?.id; // 404
        let path = format!("/api/files/{file}/receipts");
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let page = self.audit.receipts(file, paging.limit, paging.cursor.as_ref()).await?; // 503
        paging.answer(
            page.map(|stored| ReceiptEntry::from(stored.sealed)),
            &self.public_url,
            request,
        )
    }
}
