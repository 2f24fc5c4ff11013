//! Operations about files and their receipts.

use share_model::Role;

use super::{
    CURSOR, FILE_ID, IDEMPOTENCY_KEY, LIMIT, SEARCH, SORT, delete, get, json, of, patch, post,
};
use crate::{
    Answer, Body, Caller, Content, ErrorCode, FileChange, FileDetails, FileFetch, FileSummary,
    FileUpload, Operation, ReceiptEntry,
};

/// `POST /api/files/upload`
pub const FILE_UPLOAD: Operation = Operation {
    name: "file_upload",
    summary: "Upload a file of at most 4 MiB, or fetch one from an address and wait up to 20 seconds.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/files/upload"), post("/api/file/upload")],
    parameters: &[IDEMPOTENCY_KEY],
    body: Body::MultipartOrJson(of::<FileUpload>, of::<FileFetch>),
    answers: &[
        json::<FileSummary>(201, "The file is available."),
        json::<FileDetails>(202, "The file is being fetched or scanned. upload_show says more."),
    ],
    errors: &[
        ErrorCode::InvalidHeader,
        ErrorCode::KeyReused,
        ErrorCode::FileGone,
        ErrorCode::FileTooLarge,
        ErrorCode::FileTypeNotAllowed,
        ErrorCode::ContentMismatch,
        ErrorCode::FileRejected,
        ErrorCode::ImportFailed,
        ErrorCode::QuotaExceeded,
        ErrorCode::TooManyUploads,
    ],
};

/// `GET /api/files/uploaded`
pub const FILE_LIST_UPLOADED: Operation = Operation {
    name: "file_list_uploaded",
    summary: "The files that the caller has uploaded, whatever their state, page by page.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[get("/api/files/uploaded")],
    parameters: &[SEARCH, SORT, LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<FileDetails>>(200, "A page. The header Link leads to the next one.")],
    errors: &[],
};

/// `GET /api/files/{file_id}`
pub const FILE_SHOW: Operation = Operation {
    name: "file_show",
    summary: "A file, whatever its state. Ops see their own, admins all.",
    caller: Caller::AccessToken(&[Role::Ops, Role::Admin]),
    routes: &[get("/api/files/{file_id}")],
    parameters: &[FILE_ID],
    body: Body::None,
    answers: &[json::<FileDetails>(200, "The file.")],
    errors: &[ErrorCode::FileUnknown],
};

/// `PATCH /api/files/{file_id}`
pub const FILE_CHANGE: Operation = Operation {
    name: "file_change",
    summary: "Change a file's name, note, end or recipients.",
    caller: Caller::AccessToken(&[Role::Ops, Role::Admin]),
    routes: &[patch("/api/files/{file_id}")],
    parameters: &[FILE_ID],
    body: Body::Json(of::<FileChange>),
    answers: &[json::<FileDetails>(200, "The file as it is now.")],
    errors: &[ErrorCode::FileUnknown, ErrorCode::FileGone],
};

/// `DELETE /api/files/{file_id}`
pub const FILE_DELETE: Operation = Operation {
    name: "file_delete",
    summary: "Delete a file and end its links. Receipts stay. Twice is as good as once.",
    caller: Caller::AccessToken(&[Role::Ops, Role::Admin]),
    routes: &[delete("/api/files/{file_id}")],
    parameters: &[FILE_ID],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It is deleted.", content: Content::Empty }],
    errors: &[ErrorCode::FileUnknown],
};

/// `GET /api/files/list`
pub const FILE_LIST: Operation = Operation {
    name: "file_list",
    summary: "The files that are for the caller, newest first, page by page.",
    caller: Caller::AccessToken(&[Role::Client]),
    routes: &[get("/api/files/list"), get("/api/file/list")],
    parameters: &[SEARCH, SORT, LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<FileSummary>>(200, "A page. The header Link leads to the next one.")],
    errors: &[],
};

/// `GET /api/files/{file_id}/receipts`
pub const RECEIPT_LIST: Operation = Operation {
    name: "receipt_list",
    summary: "What happened to the links to a file, link by link, page by page.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[get("/api/files/{file_id}/receipts")],
    parameters: &[FILE_ID, LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<ReceiptEntry>>(200, "A page. The header Link leads to the next one.")],
    errors: &[ErrorCode::FileUnknown],
};
