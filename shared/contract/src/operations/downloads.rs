//! Operations of whoever holds a download link.

use super::{LEASE, LEASE_NUMBER, LINK_TOKEN, get, head, of, post};
use crate::{
    Answer, Body, Caller, Content, DownloadDetails, ErrorCode, FileLocation, Operation, Parameter,
    Place, schema,
};

/// The errors of a link that is looked at.
const LINK_ERRORS: &[ErrorCode] = &[
    ErrorCode::InvalidHeader,
    // Of a link that is bound to the account of its maker.
    ErrorCode::MissingToken,
    ErrorCode::InvalidToken,
    ErrorCode::TokenExpired,
    ErrorCode::WrongRole,
    ErrorCode::AccountDisabled,
    ErrorCode::LinkBound,
    ErrorCode::LinkUnknown,
    ErrorCode::LinkUsed,
    ErrorCode::LinkExpired,
    ErrorCode::LinkRevoked,
    ErrorCode::LeaseEnded,
    ErrorCode::FileGone,
];

/// `GET` and `HEAD /download`
pub const DOWNLOAD_SHOW: Operation = Operation {
    name: "download_show",
    summary: "The page on which a person redeems a link. To open it redeems nothing.",
    caller: Caller::TokenHolder,
    routes: &[get("/download"), head("/download")],
    parameters: &[LINK_TOKEN, LEASE_NUMBER, LEASE],
    body: Body::None,
    answers: &[Answer {
        status: 200,
        description: "The page; or the same as JSON, when nothing else is accepted.",
        content: Content::JsonOrPage(of::<DownloadDetails>),
    }],
    errors: LINK_ERRORS,
};

/// `HEAD /api/file/download`
pub const FILE_INSPECT: Operation = Operation {
    name: "file_inspect",
    summary: "The headers that file_download would answer with. Redeems nothing.",
    caller: Caller::TokenHolder,
    routes: &[head("/api/file/download"), head("/api/files/download")],
    parameters: &[LINK_TOKEN, LEASE_NUMBER, LEASE],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The file's headers.", content: Content::Empty }],
    errors: LINK_ERRORS,
};

/// `GET` and `POST /api/file/download`, and `POST /download`
pub const FILE_DOWNLOAD: Operation = Operation {
    name: "file_download",
    summary: "Redeem a link, or resume a download with its lease.",
    caller: Caller::TokenHolder,
    routes: &[
        get("/api/file/download"),
        post("/api/file/download"),
        get("/api/files/download"),
        post("/api/files/download"),
        post("/download"),
    ],
    parameters: &[
        LINK_TOKEN,
        LEASE_NUMBER,
        LEASE,
        Parameter {
            name: "Range",
            place: Place::Header,
            required: false,
            description: "The bytes that are wanted (RFC 9110, section 14.2). Only with GET.",
            schema: schema::text,
        },
        Parameter {
            name: "If-Range",
            place: Place::Header,
            required: false,
            description: "The entity tag that the file must have for Range to count.",
            schema: schema::text,
        },
    ],
    body: Body::None,
    answers: &[
        Answer {
            status: 200,
            description: "The file; or where it is, when it comes from S3 and only JSON is \
                          accepted.",
            content: Content::FileOrPage(of::<FileLocation>),
        },
        Answer {
            status: 206,
            description: "A part of the file.",
            content: Content::FileOrPage(of::<FileLocation>),
        },
        Answer {
            status: 303,
            description: "Where the bytes are, when they come from S3.",
            content: Content::Text,
        },
    ],
    errors: &[
        ErrorCode::InvalidHeader,
        // Of a link that is bound to the account of its maker.
        ErrorCode::MissingToken,
        ErrorCode::InvalidToken,
        ErrorCode::TokenExpired,
        ErrorCode::WrongRole,
        ErrorCode::AccountDisabled,
        ErrorCode::LinkBound,
        ErrorCode::PrefetchRefused,
        ErrorCode::LinkUnknown,
        ErrorCode::LinkUsed,
        ErrorCode::LinkExpired,
        ErrorCode::LinkRevoked,
        ErrorCode::LeaseEnded,
        ErrorCode::FileGone,
        ErrorCode::RangeUnsatisfiable,
    ],
};
