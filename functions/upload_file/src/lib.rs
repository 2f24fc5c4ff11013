//! `POST /api/files/upload`: a file of at most 4 MiB, checked and put on the shelf.

use share_api::{ApiError, Authenticator, Endpoint, Request, Response, UploadForm, created};
use share_auth::random_bytes;
use share_model::{
    AllowedFileTypes, AuditAction, ContentDigest, FileId, FileName, FileRecord, Invalid,
    MAX_UPLOAD_BYTES, Role, TypeRefusal, User,
};
use share_store::{Audit, Files, Objects, Platform, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct UploadFile {
    authenticator: Authenticator,
    files: Files,
    objects: Objects,
    audit: Audit,
    allowed: AllowedFileTypes,
}

impl Endpoint for UploadFile {
    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        let environment = platform.environment();
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            objects: Objects::connect(platform)?,
            audit: Audit::connect(platform)?,
            allowed: environment.parsed(
                "ALLOWED_FILE_TYPES",
                AllowedFileTypes::DEFAULT,
                AllowedFileTypes::parse,
            )?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Response, ApiError> {
        let ops = self.authenticator.require(Role::Ops, request).await?; // 401, 403
        let upload = request.upload_form().await?; // 400, 415, 422
        let file = self.inspect(&upload, &ops, request)?; // 413, 415, 422
        let event = request.audit(AuditAction::FileUploaded, file.id, ops.id);
        // Bytes first: what is on the shelf is complete. A crash in between leaves an object that
        // nothing points to.
        self.objects.put(&file, upload.content).await?; // 503
        self.files.shelve(&file, vec![self.audit.entry(&event)?]).await?; // 503
        Ok(created(&file))
    }
}

impl UploadFile {
    fn inspect(
        &self,
        upload: &UploadForm,
        ops: &User,
        request: &Request,
    ) -> Result<FileRecord, ApiError> {
        let filename =
            FileName::parse(&upload.filename).map_err(|reason| ApiError::field("file", reason))?;
        if upload.content.len() > MAX_UPLOAD_BYTES {
            return Err(ApiError::FileTooLarge);
        }
        if upload.content.is_empty() {
            return Err(ApiError::field("file", Invalid::because("must not be empty")));
        }
        let media_type = self.allowed.media_type(&filename, &upload.content);
        let media_type = media_type.map_err(|refusal| match refusal {
            TypeRefusal::NotAllowed => ApiError::FileTypeNotAllowed(self.allowed.names()),
            TypeRefusal::ContentMismatch => ApiError::ContentMismatch,
        })?;
        Ok(FileRecord {
            id: FileId::new(request.now(), random_bytes()),
            filename,
            size: upload.content.len() as u64,
            content_type: media_type.to_owned(),
            sha256: ContentDigest::of(&upload.content),
            uploaded_by: ops.username.clone(),
            uploaded_at: request.now(),
            notify: upload.notify,
        })
    }
}
