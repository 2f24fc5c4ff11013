//! Operations that bring files of any size: uploads in parts, and imports.

use share_model::Role;

use super::{IDEMPOTENCY_KEY, UPLOAD_ID, delete, get, json, of, post};
use crate::{
    Answer, Body, Caller, Content, ErrorCode, FileDetails, ImportRequest, Operation, PartsRequest,
    PartsSigned, UploadCreated, UploadRequest, UploadStatus,
};

/// The errors of a request that begins a file, before it has any bytes.
const NEW_FILE: &[ErrorCode] = &[
    ErrorCode::InvalidHeader,
    ErrorCode::FileTypeNotAllowed,
    ErrorCode::KeyReused,
    ErrorCode::FileGone,
    ErrorCode::QuotaExceeded,
    ErrorCode::TooManyUploads,
];

/// `POST /api/uploads`
pub const UPLOAD_CREATE: Operation = Operation {
    name: "upload_create",
    summary: "Begin an upload of any size, in parts that go straight to S3.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/uploads")],
    parameters: &[IDEMPOTENCY_KEY],
    body: Body::Json(of::<UploadRequest>),
    answers: &[json::<UploadCreated>(201, "The upload waits for its parts.")],
    errors: NEW_FILE,
};

/// `GET /api/uploads/{id}`
pub const UPLOAD_SHOW: Operation = Operation {
    name: "upload_show",
    summary: "What has become of an upload, and which parts S3 has.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[get("/api/uploads/{id}")],
    parameters: &[UPLOAD_ID],
    body: Body::None,
    answers: &[json::<UploadStatus>(200, "The upload.")],
    errors: &[ErrorCode::UploadUnknown],
};

/// `POST /api/uploads/{id}/parts`
pub const UPLOAD_SIGN_PARTS: Operation = Operation {
    name: "upload_sign_parts",
    summary: "Get the requests that bring parts to S3, each bound to its length and SHA-256. To renew them is the same call.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/uploads/{id}/parts")],
    parameters: &[UPLOAD_ID],
    body: Body::Json(of::<PartsRequest>),
    answers: &[json::<PartsSigned>(200, "The requests.")],
    errors: &[ErrorCode::UploadUnknown, ErrorCode::UploadCompleted, ErrorCode::UploadEnded],
};

/// `POST /api/uploads/{id}/complete`
pub const UPLOAD_COMPLETE: Operation = Operation {
    name: "upload_complete",
    summary: "Say that all parts are there: the file is put together and checked. Twice is as good as once.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/uploads/{id}/complete")],
    parameters: &[UPLOAD_ID],
    body: Body::None,
    answers: &[json::<FileDetails>(202, "The file is being checked, or has been.")],
    errors: &[ErrorCode::UploadUnknown, ErrorCode::UploadIncomplete, ErrorCode::UploadEnded],
};

/// `DELETE /api/uploads/{id}`
pub const UPLOAD_ABORT: Operation = Operation {
    name: "upload_abort",
    summary: "Abort an upload or an import. Twice is as good as once.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[delete("/api/uploads/{id}")],
    parameters: &[UPLOAD_ID],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It has ended.", content: Content::Empty }],
    errors: &[ErrorCode::UploadUnknown, ErrorCode::UploadCompleted],
};

/// `POST /api/imports`
pub const IMPORT_CREATE: Operation = Operation {
    name: "import_create",
    summary: "Fetch a file from an address.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/imports")],
    parameters: &[IDEMPOTENCY_KEY],
    body: Body::Json(of::<ImportRequest>),
    answers: &[json::<FileDetails>(202, "The file is being fetched.")],
    errors: NEW_FILE,
};
