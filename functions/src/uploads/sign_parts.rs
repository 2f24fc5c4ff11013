//! `upload_sign_parts`: the requests that bring parts to S3.

use serde_json::Value;
use share_contract::{ErrorCode, Operation, PartRequest, PartToSign, PartsSigned, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::{FileId, FileState, Invalid, Upload, file_protocol};
use share_store::{Files, Objects, Platform, StartError};

use super::own;

/// How many parts one request can ask for.
const MOST_PARTS: usize = 1000;

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct SignParts {
    authenticator: Authenticator,
    files: Files,
    objects: Objects,
}

impl Endpoint for SignParts {
    const NAME: &'static str = "SignParts";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::UPLOAD_SIGN_PARTS];
    type Json = PartsSigned;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            objects: Objects::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<PartsSigned>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<FileId>)?; // 400
        let mut fields = request.json()?; // 400, 415
        let parts = fields.required_value("parts", parts);
        let parts = fields.finish(parts)?; // 422
        let file = self.files.find(id.ok_or(ErrorCode::UploadUnknown)?).await?; // 503
        let file = own(file, &ops)?; // 404
        let upload = match &file.state {
            FileState::Uploading(Upload { import: Some(_), .. }) => {
                return Err(ErrorCode::UploadUnknown.into()); // 404
            }
            FileState::Uploading(upload) if upload.ends_at > request.now() => upload,
            FileState::Uploading(_) | FileState::Deleted(_) => {
                return Err(ErrorCode::UploadEnded.into()); // 410
            }
            FileState::Checking(_) | FileState::Available(_) | FileState::Rejected(_) => {
                return Err(ErrorCode::UploadCompleted.into()); // 409
            }
        };
        let size = file.size.unwrap_or_default();
        let mut signed = Vec::with_capacity(parts.len());
        for PartToSign { number, sha256 } in parts {
            let length = file_protocol::part_length(size, upload.part_size, number.into());
            let length = length.ok_or_else(|| {
                let last = file_protocol::parts(size, upload.part_size);
                let reason = format!("has the number {number}; they are numbered from 1 to {last}");
                ApiError::field("parts", Invalid::because(reason))
            })?; // 422
            let part = self.objects.sign_part(file.id, &upload.s3_upload, number, length, sha256);
            let part = part.await?; // 503
            signed.push(PartRequest { number, size: length, url: part.url, headers: part.headers });
        }
        Ok(Answer::ok(PartsSigned { parts: signed, expires_in: Objects::PART_SECONDS }))
    }
}

fn parts(value: Value) -> Result<Vec<PartToSign>, Invalid> {
    let refusal = "must be a list of 1 to 1000 parts, each with a number and a sha256";
    match serde_json::from_value::<Vec<PartToSign>>(value) {
        Ok(parts) if (1..=MOST_PARTS).contains(&parts.len()) => Ok(parts),
        _ => Err(Invalid::because(refusal)),
    }
}
