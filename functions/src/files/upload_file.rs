//! `file_upload`: a file of at most 4 MiB, checked and put on the shelf.

use share_auth::random_bytes;
use share_contract::settings::ALLOWED_FILE_TYPES;
use share_contract::{ErrorCode, FileSummary, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request, UploadForm};
use share_model::{
    AllowedFileTypes, AuditAction, ContentDigest, FileId, FileName, FileRecord, Invalid,
    MAX_UPLOAD_BYTES, TypeRefusal, User,
};
use share_store::{Audit, Files, Objects, Platform, Shelf, StartError};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct UploadFile {
    authenticator: Authenticator,
    files: Files,
    shelf: Shelf,
    objects: Objects,
    audit: Audit,
    allowed: AllowedFileTypes,
}

impl Endpoint for UploadFile {
    const NAME: &'static str = "UploadFile";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::FILE_UPLOAD];
    type Json = FileSummary;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            files: Files::connect(platform)?,
            shelf: Shelf::connect(platform)?,
            objects: Objects::connect(platform)?,
            audit: Audit::connect(platform)?,
            allowed: ALLOWED_FILE_TYPES.read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<FileSummary>, ApiError> {
        let ops = self.authenticator.caller(request).await?; // 401, 403
        let upload = request.upload_form().await?; // 400, 415, 422
        let file = self.inspect(&upload, &ops, request)?; // 413, 415, 422
        let event = request.audit(AuditAction::FileUploaded, file.id, ops.id);
        // Bytes first: what is on the shelf is complete. A crash in between leaves an object that
        // nothing points to.
        self.objects.put(&file, upload.content).await?; // 503
        self.files.create(&file, &self.shelf, vec![self.audit.entry(&event)]).await?; // 503
        Ok(Answer::created(FileSummary::for_uploader(file)))
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
            return Err(ErrorCode::FileTooLarge.into());
        }
        if upload.content.is_empty() {
            return Err(ApiError::field("file", Invalid::because("must not be empty")));
        }
        let media_type = self.allowed.media_type(&filename, &upload.content);
        let media_type = media_type.map_err(|refusal| match refusal {
            TypeRefusal::NotAllowed => {
                let extensions = self.allowed.names();
                let values = [("extensions", extensions.as_str())];
                ApiError::with(ErrorCode::FileTypeNotAllowed, &values)
            }
            TypeRefusal::ContentMismatch => ErrorCode::ContentMismatch.into(),
        })?;
        Ok(FileRecord {
            id: FileId::new(request.now(), random_bytes()),
            filename,
            size: upload.content.len() as u64,
            content_type: media_type.to_owned(),
            sha256: ContentDigest::of(&upload.content),
            uploaded_by: ops.username.clone(),
            uploader: Some(ops.id),
            uploaded_at: request.now(),
            notify: upload.notify,
        })
    }
}
