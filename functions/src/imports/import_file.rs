//! `import_create`: a file is to be fetched from an address.

use http::StatusCode;
use share_contract::{FileDetails, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_store::{Platform, StartError};

use super::NewImports;
use crate::created_file::CreatedFile;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ImportFile {
    authenticator: Authenticator,
    imports: NewImports,
}

impl Endpoint for ImportFile {
    const NAME: &'static str = "ImportFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::IMPORT_CREATE];
    type Json = FileDetails;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            imports: NewImports::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileDetails>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let input = self.imports.read(request, "url")?; // 400, 415, 422
        // A job fetches it.
        let file = self.imports.create(input, request.now(), &ops, request).await?; // 400 to 503
        let (CreatedFile::New(file) | CreatedFile::Earlier(file)) = file;
        Ok(Answer::json(StatusCode::ACCEPTED, FileDetails::new(file, 0, 0)))
    }
}
