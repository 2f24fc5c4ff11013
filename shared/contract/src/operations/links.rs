//! Operations about download links, and the keys of their certificates.

use share_model::Role;

use super::{CURSOR, FILE_ID, LIMIT, LINK_ID, delete, get, json, of, post};
use crate::{
    Answer, Body, Caller, Content, ErrorCode, FileLinkRequest, KeySet, LinkCreated, LinkRequest,
    LinkSummary, Operation,
};

/// `POST /api/files/generate-download-link/{file_id}`
pub const LINK_CREATE: Operation = Operation {
    name: "link_create",
    summary: "Make a link to a file. It works once, or as often as its maker says.",
    caller: Caller::AccessToken(&[Role::Client]),
    routes: &[
        post("/api/files/generate-download-link/{file_id}"),
        get("/api/files/generate-download-link/{file_id}"),
    ],
    parameters: &[FILE_ID],
    body: Body::OptionalJson(of::<LinkRequest>),
    answers: &[
        json::<LinkCreated>(200, "The link, in answer to a GET."),
        json::<LinkCreated>(201, "The link, in answer to a POST."),
    ],
    errors: &[ErrorCode::FileUnknown, ErrorCode::FilenameMismatch, ErrorCode::TooManyLinks],
};

/// `POST /api/file/generate-load`
pub const LINK_CREATE_BY_ID: Operation = Operation {
    name: "link_create_by_id",
    summary: "The same as link_create, with the file in the body.",
    caller: Caller::AccessToken(&[Role::Client]),
    routes: &[post("/api/file/generate-load")],
    parameters: &[],
    body: Body::Json(of::<FileLinkRequest>),
    answers: &[json::<LinkCreated>(201, "The link.")],
    errors: &[ErrorCode::FileUnknown, ErrorCode::FilenameMismatch, ErrorCode::TooManyLinks],
};

/// `GET /api/links`
pub const LINK_LIST: Operation = Operation {
    name: "link_list",
    summary: "The caller's own links, newest first, page by page.",
    caller: Caller::AccessToken(&[Role::Client]),
    routes: &[get("/api/links")],
    parameters: &[LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<LinkSummary>>(200, "A page. The header Link leads to the next one.")],
    errors: &[],
};

/// `DELETE /api/links/{id}`
pub const LINK_REVOKE: Operation = Operation {
    name: "link_revoke",
    summary: "Revoke a link, and end its leases. Twice is as good as once.",
    caller: Caller::AccessToken(&[Role::Client]),
    routes: &[delete("/api/links/{id}")],
    parameters: &[LINK_ID],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It is revoked.", content: Content::Empty }],
    errors: &[ErrorCode::LinkUnknown],
};

/// `GET /api/links/{id}/certificate`
pub const LINK_CERTIFICATE: Operation = Operation {
    name: "link_certificate",
    summary: "What became of a link, as a signed file that can be kept and checked elsewhere. A Client gets those of its own links.",
    caller: Caller::AccessToken(&[Role::Client, Role::Ops]),
    routes: &[get("/api/links/{id}/certificate")],
    parameters: &[LINK_ID],
    body: Body::None,
    answers: &[Answer {
        status: 200,
        description: "A JSON Web Token of the type delivery-certificate+jwt.",
        content: Content::Certificate,
    }],
    errors: &[ErrorCode::LinkUnknown, ErrorCode::ReceiptsBroken],
};

/// `GET /.well-known/jwks.json`
pub const KEY_LIST: Operation = Operation {
    name: "key_list",
    summary: "The public keys with which delivery certificates are checked (RFC 7517).",
    caller: Caller::Anyone,
    routes: &[get("/.well-known/jwks.json")],
    parameters: &[],
    body: Body::None,
    answers: &[json::<KeySet>(200, "The keys: the one that signs now, then former ones.")],
    errors: &[],
};
