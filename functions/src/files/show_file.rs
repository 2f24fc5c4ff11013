//! `file_show`: a file, whatever its state.

use share_contract::{ErrorCode, FileDetails, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::FileId;
use share_store::{Files, Links, Platform, StartError};

use super::managed_by;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ShowFile {
    authenticator: Authenticator,
    files: Files,
    links: Links,
}

impl Endpoint for ShowFile {
    const NAME: &'static str = "ShowFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_SHOW];
    type Json = FileDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            links: Links::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileDetails>, ApiError> {
        let user = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("file_id", str::parse::<FileId>)?; // 400
        let file = self.files.find(id.ok_or(ErrorCode::FileUnknown)?).await?; // 503
        let file = managed_by(&user, file)?; // 404
        let count = self.links.count(file.id).await?; // 503
        Ok(Answer::ok(FileDetails::new(file, count.links, count.downloads)))
    }
}
