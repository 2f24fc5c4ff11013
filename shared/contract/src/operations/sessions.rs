//! Operations of sessions: logging in, going on, logging out.

use share_model::Role;

use super::{CURSOR, EVERYBODY, LIMIT, delete, get, json, of, post};
use crate::{
    Answer, Body, Caller, Content, ErrorCode, LogIn, LoggedIn, Operation, Parameter, Place,
    SessionRefresh, SessionSummary, schema,
};

/// `POST /api/sessions`
pub const SESSION_CREATE: Operation = Operation {
    name: "session_create",
    summary: "Log in, whatever your role.",
    caller: Caller::Password(EVERYBODY),
    routes: &[post("/api/sessions")],
    parameters: &[],
    body: Body::Json(of::<LogIn>),
    answers: &[json::<LoggedIn>(200, "An access token, good for 15 minutes.")],
    errors: SECOND_FACTOR_REFUSALS,
};

/// `POST /api/client/login`
pub const CLIENT_LOGIN: Operation = Operation {
    name: "client_login",
    summary: "Log in as a Client.",
    caller: Caller::Password(&[Role::Client]),
    routes: &[post("/api/client/login"), post("/api/users/client-login")],
    parameters: &[],
    body: Body::Json(of::<LogIn>),
    answers: &[json::<LoggedIn>(200, "An access token, good for 15 minutes.")],
    errors: SECOND_FACTOR_REFUSALS,
};

/// `POST /api/ops/login`
pub const OPS_LOGIN: Operation = Operation {
    name: "ops_login",
    summary: "Log in as Ops or admin.",
    caller: Caller::Password(&[Role::Ops, Role::Admin]),
    routes: &[post("/api/ops/login"), post("/api/users/ops-login")],
    parameters: &[],
    body: Body::Json(of::<LogIn>),
    answers: &[json::<LoggedIn>(200, "An access token, good for 15 minutes.")],
    errors: SECOND_FACTOR_REFUSALS,
};

/// What a login with the right password can still be refused for.
const SECOND_FACTOR_REFUSALS: &[ErrorCode] = &[
    ErrorCode::SecondFactorRequired,
    ErrorCode::SecondFactorEnrolmentRequired,
    ErrorCode::InvalidChallenge,
    ErrorCode::InvalidCode,
];

/// `POST /api/sessions/refresh`
pub const SESSION_REFRESH: Operation = Operation {
    name: "session_refresh",
    summary: "Continue a session: a new access token, and a new refresh token, for a refresh token.",
    caller: Caller::Anyone,
    routes: &[post("/api/sessions/refresh")],
    parameters: &[],
    body: Body::OptionalJson(of::<SessionRefresh>),
    answers: &[json::<LoggedIn>(200, "An access token, good for 15 minutes.")],
    errors: &[
        ErrorCode::RefreshUnknown,
        ErrorCode::SessionExpired,
        ErrorCode::SessionRevoked,
        ErrorCode::AccountDisabled,
        ErrorCode::CrossSite,
    ],
};

/// `GET /api/sessions`
pub const SESSION_LIST: Operation = Operation {
    name: "session_list",
    summary: "Your sessions, the newest first.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[get("/api/sessions")],
    parameters: &[LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<SessionSummary>>(200, "A page. The header Link leads to the next one.")],
    errors: &[],
};

/// `DELETE /api/sessions/{id}`
pub const SESSION_END: Operation = Operation {
    name: "session_end",
    summary: "End one of your sessions, or the current one. Its access tokens end with it.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[delete("/api/sessions/{id}")],
    parameters: &[Parameter {
        name: "id",
        place: Place::Path,
        required: true,
        description: "The session's id, or `current`.",
        schema: schema::text,
    }],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It has ended.", content: Content::Empty }],
    errors: &[ErrorCode::SessionUnknown],
};

/// `DELETE /api/sessions`
pub const SESSION_END_ALL: Operation = Operation {
    name: "session_end_all",
    summary: "End all your sessions, the current one too.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[delete("/api/sessions")],
    parameters: &[],
    body: Body::None,
    answers: &[Answer { status: 204, description: "They have ended.", content: Content::Empty }],
    errors: &[],
};
