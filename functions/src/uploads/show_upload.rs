//! `upload_show`: what has become of an upload, so that it can be continued anywhere.

use share_contract::{ErrorCode, FileDetails, Operation, PartReceived, UploadStatus, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::{FileId, FileState, file_protocol};
use share_store::{Files, Objects, Platform, StartError};

use super::own;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ShowUpload {
    authenticator: Authenticator,
    files: Files,
    objects: Objects,
}

impl Endpoint for ShowUpload {
    const NAME: &'static str = "ShowUpload";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::UPLOAD_SHOW];
    type Json = UploadStatus;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            objects: Objects::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<UploadStatus>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<FileId>)?; // 400
        let file = self.files.find(id.ok_or(ErrorCode::UploadUnknown)?).await?; // 503
        let file = own(file, &ops)?; // 404
        let upload = match &file.state {
            FileState::Uploading(upload) => Some(upload.clone()),
            _ => None,
        };
        let received = match &upload {
            Some(upload) => self.objects.parts(file.id, &upload.s3_upload).await?, // 503
            None => None,
        };
        let received = received.map(|parts| {
            let part = |part: share_store::UploadedPart| PartReceived {
                number: part.number,
                size: part.size,
                sha256: part.sha256,
            };
            parts.into_iter().map(part).collect()
        });
        let parts = upload.as_ref().filter(|upload| upload.import.is_none());
        let parts =
            parts.and_then(|upload| Some(file_protocol::parts(file.size?, upload.part_size)));
        let FileDetails { id, filename, size, state, reason, .. } = FileDetails::new(file, 0, 0);
        Ok(Answer::ok(UploadStatus {
            upload_id: id,
            state,
            reason,
            filename,
            size,
            part_size: upload.as_ref().map(|upload| upload.part_size),
            parts,
            received,
            expires_at: upload.map(|upload| upload.ends_at),
        }))
    }
}
