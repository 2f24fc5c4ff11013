//! Every operation of the API: the one table of names, routes, callers and shapes.
//!
//! `template.yaml` says which function serves a route; a test proves that its routes are these.

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use share_model::{FileId, LinkId, MaxDownloads, Role, UserState};

use crate::{
    AccountCreated, AccountDetails, Answer, Body, Caller, Content, EmailChange, EmailSet,
    ErrorCode, FactorCode, FileChange, FileDetails, FileFetch, FileLinkRequest, FileLocation,
    FileSort, FileSummary, FileUpload, GroupCreate, GroupDetails, ImportRequest, KeySet,
    LinkCreated, LinkRequest, LinkSummary, LogIn, LoggedIn, MailRequest, MailSent, NewPassword,
    Operation, Parameter, PartsRequest, PartsSigned, PasswordChange, PasswordResetConfirm,
    PasswordSet, Place, ReceiptEntry, RecoveryCodesIssued, Route, SessionRefresh, SessionSummary,
    SignUp, TotpConfirmation, TotpCreated, TotpRemoval, TotpRequest, UploadCreated, UploadRequest,
    UploadStatus, UserChange, UserDetails, UserSort, VerificationAnswer, VerificationDone, schema,
};

/// All operations, in the order of the docs.
pub const ALL: &[&Operation] = &[
    &ACCOUNT_CREATE,
    &ACCOUNT_VERIFY,
    &VERIFICATION_SHOW,
    &VERIFICATION_ANSWER,
    &INVITATION_SHOW,
    &INVITATION_ACCEPT,
    &VERIFICATION_REQUEST,
    &PASSWORD_RESET_REQUEST,
    &PASSWORD_RESET_SHOW,
    &PASSWORD_RESET_ANSWER,
    &PASSWORD_RESET_CONFIRM,
    &ACCOUNT_SHOW,
    &PASSWORD_CHANGE,
    &EMAIL_CHANGE_REQUEST,
    &EMAIL_CHANGE_SHOW,
    &EMAIL_CHANGE_CONFIRM,
    &EMAIL_UNDO_SHOW,
    &EMAIL_UNDO_CONFIRM,
    &CLIENT_LOGIN,
    &OPS_LOGIN,
    &SESSION_REFRESH,
    &SESSION_LIST,
    &SESSION_END,
    &SESSION_END_ALL,
    &TOTP_CREATE,
    &TOTP_CONFIRM,
    &TOTP_DELETE,
    &RECOVERY_CODES_CREATE,
    &USER_LIST,
    &USER_SHOW,
    &USER_CHANGE,
    &GROUP_LIST,
    &GROUP_CREATE,
    &GROUP_DELETE,
    &GROUP_JOIN,
    &GROUP_LEAVE,
    &FILE_UPLOAD,
    &UPLOAD_CREATE,
    &UPLOAD_SHOW,
    &UPLOAD_SIGN_PARTS,
    &UPLOAD_COMPLETE,
    &UPLOAD_ABORT,
    &IMPORT_CREATE,
    &FILE_LIST,
    &FILE_LIST_UPLOADED,
    &FILE_SHOW,
    &FILE_CHANGE,
    &FILE_DELETE,
    &LINK_CREATE,
    &LINK_CREATE_BY_ID,
    &LINK_LIST,
    &LINK_REVOKE,
    &LINK_CERTIFICATE,
    &DOWNLOAD_SHOW,
    &FILE_INSPECT,
    &FILE_DOWNLOAD,
    &RECEIPT_LIST,
    &KEY_LIST,
    &OPENAPI_SHOW,
    &DOCS_SHOW,
];

/// `POST /api/users/signup`
pub const ACCOUNT_CREATE: Operation = Operation {
    name: "account_create",
    summary: "Sign up. The address is proven with the link that is mailed to it.",
    caller: Caller::Anyone,
    routes: &[post("/api/users/signup"), post("/api/client/signup")],
    parameters: &[],
    body: Body::Json(of::<SignUp>),
    answers: &[json::<AccountCreated>(
        201,
        "The account waits for its address to be verified, or is ready.",
    )],
    errors: &[ErrorCode::OpsByInvitation, ErrorCode::UsernameTaken, ErrorCode::TooManySignups],
};

/// `GET` and `POST /api/users/verify-email`
pub const ACCOUNT_VERIFY: Operation = Operation {
    name: "account_verify",
    summary: "Prove an e-mail address. A browser's GET gets a page and proves nothing.",
    caller: Caller::TokenHolder,
    routes: &[
        get("/api/users/verify-email"),
        post("/api/users/verify-email"),
        get("/api/client/verify"),
        post("/api/client/verify"),
    ],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer {
        status: 200,
        description: "The address is verified, or a browser's page.",
        content: Content::JsonOrPage(of::<VerificationDone>),
    }],
    errors: &[
        ErrorCode::PrefetchRefused,
        ErrorCode::EmailTaken,
        ErrorCode::VerificationUnknown,
        ErrorCode::VerificationUsed,
        ErrorCode::VerificationExpired,
    ],
};

/// `GET` and `HEAD /verify`
pub const VERIFICATION_SHOW: Operation = Operation {
    name: "verification_show",
    summary: "The page that a mailed verification link opens. Looking at it proves nothing.",
    caller: Caller::TokenHolder,
    routes: &[get("/verify"), head("/verify")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: &[
        ErrorCode::VerificationUnknown,
        ErrorCode::VerificationUsed,
        ErrorCode::VerificationExpired,
    ],
};

/// `POST /verify`
pub const VERIFICATION_ANSWER: Operation = Operation {
    name: "verification_answer",
    summary: "Prove the address with the sign-up's password, or delete a sign-up by somebody else.",
    caller: Caller::TokenHolder,
    routes: &[post("/verify")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::JsonOrForm(of::<VerificationAnswer>),
    answers: &[Answer {
        status: 200,
        description: "The address is verified, or the sign-up is deleted.",
        content: Content::JsonOrPage(of::<VerificationDone>),
    }],
    errors: &[
        ErrorCode::WrongPassword,
        ErrorCode::EmailTaken,
        ErrorCode::VerificationUnknown,
        ErrorCode::VerificationUsed,
        ErrorCode::VerificationExpired,
    ],
};

/// `GET` and `HEAD /set-password`
pub const INVITATION_SHOW: Operation = Operation {
    name: "invitation_show",
    summary: "The page on which an invitation is accepted.",
    caller: Caller::TokenHolder,
    routes: &[get("/set-password"), head("/set-password"), get("/api/users/set-password")],
    parameters: &[token("The token of the invitation.")],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: &[
        ErrorCode::InvitationUnknown,
        ErrorCode::InvitationUsed,
        ErrorCode::InvitationExpired,
    ],
};

/// `POST /set-password`
pub const INVITATION_ACCEPT: Operation = Operation {
    name: "invitation_accept",
    summary: "Accept an invitation: set the password, and prove the address.",
    caller: Caller::TokenHolder,
    routes: &[post("/set-password"), post("/api/users/set-password")],
    parameters: &[token("The token of the invitation.")],
    body: Body::JsonOrForm(of::<NewPassword>),
    answers: &[Answer {
        status: 200,
        description: "The password is set.",
        content: Content::JsonOrPage(of::<PasswordSet>),
    }],
    errors: &[
        ErrorCode::EmailTaken,
        ErrorCode::InvitationUnknown,
        ErrorCode::InvitationUsed,
        ErrorCode::InvitationExpired,
    ],
};

/// `POST /api/account/verification`
pub const VERIFICATION_REQUEST: Operation = Operation {
    name: "verification_request",
    summary: "Mail the link of a sign-up once more. The answer is the same for every address.",
    caller: Caller::Anyone,
    routes: &[post("/api/account/verification")],
    parameters: &[],
    body: Body::Json(of::<MailRequest>),
    answers: &[json::<MailSent>(202, "A mail was sent to the address, whatever it says.")],
    errors: &[ErrorCode::TooManyMails],
};

/// `POST /api/account/password-reset`
pub const PASSWORD_RESET_REQUEST: Operation = Operation {
    name: "password_reset_request",
    summary: "Mail a link to set a new password. The answer is the same for every address.",
    caller: Caller::Anyone,
    routes: &[post("/api/account/password-reset")],
    parameters: &[],
    body: Body::Json(of::<MailRequest>),
    answers: &[json::<MailSent>(202, "A mail was sent to the address, whatever it says.")],
    errors: &[ErrorCode::TooManyMails],
};

/// `GET` and `HEAD /reset-password`
pub const PASSWORD_RESET_SHOW: Operation = Operation {
    name: "password_reset_show",
    summary: "The page on which a new password is set. Looking at it changes nothing.",
    caller: Caller::TokenHolder,
    routes: &[get("/reset-password"), head("/reset-password")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: PASSWORD_RESET_ERRORS,
};

/// `POST /reset-password`
pub const PASSWORD_RESET_ANSWER: Operation = Operation {
    name: "password_reset_answer",
    summary: "Set a new password, and end all sessions of the account.",
    caller: Caller::TokenHolder,
    routes: &[post("/reset-password")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::JsonOrForm(of::<NewPassword>),
    answers: &[Answer {
        status: 200,
        description: "The password is set.",
        content: Content::JsonOrPage(of::<PasswordSet>),
    }],
    errors: PASSWORD_RESET_ERRORS,
};

/// `POST /api/account/password-reset/confirm`
pub const PASSWORD_RESET_CONFIRM: Operation = Operation {
    name: "password_reset_confirm",
    summary: "The same as password_reset_answer, for programs, with the token in the body.",
    caller: Caller::Anyone,
    routes: &[post("/api/account/password-reset/confirm")],
    parameters: &[],
    body: Body::Json(of::<PasswordResetConfirm>),
    answers: &[json::<PasswordSet>(200, "The password is set.")],
    errors: &[
        ErrorCode::AccountDisabled,
        ErrorCode::TooManyGuesses,
        ErrorCode::PasswordResetUnknown,
        ErrorCode::PasswordResetUsed,
        ErrorCode::PasswordResetExpired,
    ],
};

const PASSWORD_RESET_ERRORS: &[ErrorCode] = &[
    ErrorCode::AccountDisabled,
    ErrorCode::PasswordResetUnknown,
    ErrorCode::PasswordResetUsed,
    ErrorCode::PasswordResetExpired,
];

/// `GET /api/account`
pub const ACCOUNT_SHOW: Operation = Operation {
    name: "account_show",
    summary: "Your account.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[get("/api/account")],
    parameters: &[],
    body: Body::None,
    answers: &[json::<AccountDetails>(200, "The account.")],
    errors: &[],
};

/// `POST /api/account/password`
pub const PASSWORD_CHANGE: Operation = Operation {
    name: "password_change",
    summary: "Change your password, and end your other sessions.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[post("/api/account/password")],
    parameters: &[],
    body: Body::Json(of::<PasswordChange>),
    answers: &[Answer { status: 204, description: "It is changed.", content: Content::Empty }],
    errors: &[ErrorCode::WrongPassword, ErrorCode::TooManyGuesses],
};

/// `POST /api/account/email`
pub const EMAIL_CHANGE_REQUEST: Operation = Operation {
    name: "email_change_request",
    summary: "Mail a link to a new address, with which it becomes your account's.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[post("/api/account/email")],
    parameters: &[],
    body: Body::Json(of::<EmailChange>),
    answers: &[json::<MailSent>(202, "A mail was sent to the new address.")],
    errors: &[ErrorCode::WrongPassword, ErrorCode::TooManyGuesses, ErrorCode::EmailJustChanged],
};

/// `GET` and `HEAD /change-email`
pub const EMAIL_CHANGE_SHOW: Operation = Operation {
    name: "email_change_show",
    summary: "The page on which a new address is confirmed. Looking at it changes nothing.",
    caller: Caller::TokenHolder,
    routes: &[get("/change-email"), head("/change-email")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: &[
        ErrorCode::EmailChangeUnknown,
        ErrorCode::EmailChangeUsed,
        ErrorCode::EmailChangeExpired,
    ],
};

/// `POST /change-email`
pub const EMAIL_CHANGE_CONFIRM: Operation = Operation {
    name: "email_change_confirm",
    summary: "Prove a new address, and give it to the account.",
    caller: Caller::TokenHolder,
    routes: &[post("/change-email")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer {
        status: 200,
        description: "The account has the address.",
        content: Content::JsonOrPage(of::<EmailSet>),
    }],
    errors: &[
        ErrorCode::AccountDisabled,
        ErrorCode::EmailTaken,
        ErrorCode::EmailJustChanged,
        ErrorCode::EmailChangeUnknown,
        ErrorCode::EmailChangeUsed,
        ErrorCode::EmailChangeExpired,
    ],
};

/// `GET` and `HEAD /undo-email`
pub const EMAIL_UNDO_SHOW: Operation = Operation {
    name: "email_undo_show",
    summary: "The page on which the change of an address is undone. Looking at it changes nothing.",
    caller: Caller::TokenHolder,
    routes: &[get("/undo-email"), head("/undo-email")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: &[ErrorCode::EmailUndoUnknown, ErrorCode::EmailUndoUsed, ErrorCode::EmailUndoExpired],
};

/// `POST /undo-email`
pub const EMAIL_UNDO_CONFIRM: Operation = Operation {
    name: "email_undo_confirm",
    summary: "Give the account its address back, end all sessions, and mail a link for a new password.",
    caller: Caller::TokenHolder,
    routes: &[post("/undo-email")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::None,
    answers: &[Answer {
        status: 200,
        description: "The account has its address back.",
        content: Content::JsonOrPage(of::<EmailSet>),
    }],
    errors: &[
        ErrorCode::EmailTaken,
        ErrorCode::EmailUndoUnknown,
        ErrorCode::EmailUndoUsed,
        ErrorCode::EmailUndoExpired,
    ],
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

/// `POST /api/account/totp`
pub const TOTP_CREATE: Operation = Operation {
    name: "totp_create",
    summary: "Begin to set up an authenticator app. The bearer may be an enrolment challenge.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[post("/api/account/totp")],
    parameters: &[],
    body: Body::OptionalJson(of::<TotpRequest>),
    answers: &[json::<TotpCreated>(201, "The app's secret. It counts once a code is confirmed.")],
    errors: &[ErrorCode::WrongPassword, ErrorCode::SecondFactorPresent, ErrorCode::TooManyGuesses],
};

/// `POST /api/account/totp/confirm`
pub const TOTP_CONFIRM: Operation = Operation {
    name: "totp_confirm",
    summary: "Show that the app works. From then on logging in asks for its code.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[post("/api/account/totp/confirm")],
    parameters: &[],
    body: Body::Json(of::<TotpConfirmation>),
    answers: &[json::<RecoveryCodesIssued>(200, "The second factor counts.")],
    errors: &[ErrorCode::WrongCode, ErrorCode::SecondFactorPresent, ErrorCode::SecondFactorMissing],
};

/// `DELETE /api/account/totp`
pub const TOTP_DELETE: Operation = Operation {
    name: "totp_delete",
    summary: "Remove the second factor, unless the role needs one.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[delete("/api/account/totp")],
    parameters: &[],
    body: Body::Json(of::<TotpRemoval>),
    answers: &[Answer { status: 204, description: "It is gone.", content: Content::Empty }],
    errors: &[
        ErrorCode::WrongPassword,
        ErrorCode::WrongCode,
        ErrorCode::SecondFactorDemanded,
        ErrorCode::SecondFactorMissing,
        ErrorCode::TooManyGuesses,
    ],
};

/// `POST /api/account/recovery-codes`
pub const RECOVERY_CODES_CREATE: Operation = Operation {
    name: "recovery_codes_create",
    summary: "Make ten new recovery codes. The old ones end.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[post("/api/account/recovery-codes")],
    parameters: &[],
    body: Body::Json(of::<FactorCode>),
    answers: &[json::<RecoveryCodesIssued>(201, "The new codes.")],
    errors: &[ErrorCode::WrongCode, ErrorCode::SecondFactorMissing, ErrorCode::TooManyGuesses],
};

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

/// `GET /api/admin/users`
pub const USER_LIST: Operation = Operation {
    name: "user_list",
    summary: "All accounts, by name or by when their owners were last seen, page by page.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/users")],
    parameters: &[
        Parameter {
            description: "What the name or the address contains, in upper or lower case. A page can \
                          be short, or empty, and still have a next one.",
            ..SEARCH
        },
        Parameter {
            name: "role",
            place: Place::Query,
            required: false,
            description: "Only accounts of this role.",
            schema: of::<Role>,
        },
        Parameter {
            name: "state",
            place: Place::Query,
            required: false,
            description: "Only accounts in this state.",
            schema: of::<UserState>,
        },
        Parameter {
            name: "group",
            place: Place::Query,
            required: false,
            description: "Only accounts in this group.",
            schema: schema::text,
        },
        Parameter {
            description: "The order: name, -last_seen (those who were seen last come first) or \
                          last_seen. By name when it is left out. Who was never seen counts as seen \
                          at the sign-up.",
            schema: of::<UserSort>,
            ..SORT
        },
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answers: &[json::<Vec<UserDetails>>(200, "A page. The header Link leads to the next one.")],
    errors: &[ErrorCode::GroupUnknown],
};

/// `GET /api/admin/users/{id}`
pub const USER_SHOW: Operation = Operation {
    name: "user_show",
    summary: "An account.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/users/{id}")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[json::<UserDetails>(200, "The account.")],
    errors: &[ErrorCode::UserUnknown],
};

/// `PATCH /api/admin/users/{id}`
pub const USER_CHANGE: Operation = Operation {
    name: "user_change",
    summary: "Change an account's role, disable or enable it, end its sessions, reset how it logs in.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[Route { method: Method::PATCH, path: "/api/admin/users/{id}" }],
    parameters: &[USER_ID],
    body: Body::Json(of::<UserChange>),
    answers: &[json::<UserDetails>(200, "The account as it is now.")],
    errors: &[ErrorCode::UserUnknown, ErrorCode::LastAdmin],
};

/// `GET /api/admin/groups`
pub const GROUP_LIST: Operation = Operation {
    name: "group_list",
    summary: "The groups of Clients, by name, page by page.",
    caller: Caller::AccessToken(&[Role::Ops, Role::Admin]),
    routes: &[get("/api/admin/groups")],
    parameters: &[LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<GroupDetails>>(200, "A page. The header Link leads to the next one.")],
    errors: &[],
};

/// `POST /api/admin/groups`
pub const GROUP_CREATE: Operation = Operation {
    name: "group_create",
    summary: "Make a group of Clients, for whom files can be.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[post("/api/admin/groups")],
    parameters: &[],
    body: Body::Json(of::<GroupCreate>),
    answers: &[json::<GroupDetails>(201, "The group.")],
    errors: &[ErrorCode::GroupExists],
};

/// `DELETE /api/admin/groups/{name}`
pub const GROUP_DELETE: Operation = Operation {
    name: "group_delete",
    summary: "Delete a group. What is for it is for nobody in it any more.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[delete("/api/admin/groups/{name}")],
    parameters: &[GROUP_NAME],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It is deleted.", content: Content::Empty }],
    errors: &[ErrorCode::GroupUnknown],
};

/// `PUT /api/admin/groups/{name}/members/{user_id}`
pub const GROUP_JOIN: Operation = Operation {
    name: "group_join",
    summary: "Put an account into a group. Twice is as good as once.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[Route { method: Method::PUT, path: "/api/admin/groups/{name}/members/{user_id}" }],
    parameters: &[GROUP_NAME, MEMBER_ID],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It is in it.", content: Content::Empty }],
    errors: &[ErrorCode::GroupUnknown, ErrorCode::UserUnknown, ErrorCode::GroupFull],
};

/// `DELETE /api/admin/groups/{name}/members/{user_id}`
pub const GROUP_LEAVE: Operation = Operation {
    name: "group_leave",
    summary: "Take an account out of a group. Twice is as good as once.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[delete("/api/admin/groups/{name}/members/{user_id}")],
    parameters: &[GROUP_NAME, MEMBER_ID],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It is not in it.", content: Content::Empty }],
    errors: &[ErrorCode::GroupUnknown],
};

/// `POST /api/files/upload`
pub const FILE_UPLOAD: Operation = Operation {
    name: "file_upload",
    summary: "Upload a file of at most 4 MiB, or fetch one from an address and wait up to 20 seconds.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/files/upload"), post("/api/file/upload")],
    parameters: &[],
    body: Body::MultipartOrJson(of::<FileUpload>, of::<FileFetch>),
    answers: &[
        json::<FileSummary>(201, "The file is available."),
        json::<FileDetails>(202, "The file is being fetched or scanned. upload_show says more."),
    ],
    errors: &[
        ErrorCode::FileTooLarge,
        ErrorCode::FileTypeNotAllowed,
        ErrorCode::ContentMismatch,
        ErrorCode::FileRejected,
        ErrorCode::ImportFailed,
        ErrorCode::QuotaExceeded,
        ErrorCode::TooManyUploads,
    ],
};

/// `POST /api/uploads`
pub const UPLOAD_CREATE: Operation = Operation {
    name: "upload_create",
    summary: "Begin an upload of any size, in parts that go straight to S3.",
    caller: Caller::AccessToken(&[Role::Ops]),
    routes: &[post("/api/uploads")],
    parameters: &[],
    body: Body::Json(of::<UploadRequest>),
    answers: &[json::<UploadCreated>(201, "The upload waits for its parts.")],
    errors: &[ErrorCode::FileTypeNotAllowed, ErrorCode::QuotaExceeded, ErrorCode::TooManyUploads],
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
    parameters: &[],
    body: Body::Json(of::<ImportRequest>),
    answers: &[json::<FileDetails>(202, "The file is being fetched.")],
    errors: &[ErrorCode::FileTypeNotAllowed, ErrorCode::QuotaExceeded, ErrorCode::TooManyUploads],
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
    routes: &[Route { method: Method::PATCH, path: "/api/files/{file_id}" }],
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
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
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

/// `GET /api/openapi.json`
pub const OPENAPI_SHOW: Operation = Operation {
    name: "openapi_show",
    summary: "This description of the API (OpenAPI 3.1).",
    caller: Caller::Anyone,
    routes: &[get("/api/openapi.json")],
    parameters: &[],
    body: Body::None,
    answers: &[json::<serde_json::Map<String, serde_json::Value>>(200, "The document.")],
    errors: &[],
};

/// `GET /api/docs`
pub const DOCS_SHOW: Operation = Operation {
    name: "docs_show",
    summary: "The same description for people, as a page.",
    caller: Caller::Anyone,
    routes: &[get("/api/docs")],
    parameters: &[],
    body: Body::None,
    answers: &[Answer { status: 200, description: "The page.", content: Content::Page }],
    errors: &[],
};

const EVERYBODY: &[Role] = &[Role::Client, Role::Ops, Role::Admin];

const LINK_TOKEN: Parameter = token("The token from the link.");

const LEASE_NUMBER: Parameter = Parameter {
    name: "lease",
    place: Place::Query,
    required: false,
    description: "Which of a browser's leases of the link it is, counted from 1. A page's form \
                  says it.",
    schema: of::<MaxDownloads>,
};

const LEASE: Parameter = Parameter {
    name: "Download-Lease",
    place: Place::Header,
    required: false,
    description: "The lease with which a download is resumed, or a new one of the caller's.",
    schema: schema::token,
};

const FILE_ID: Parameter = Parameter {
    name: "file_id",
    place: Place::Path,
    required: true,
    description: "The file.",
    schema: of::<FileId>,
};

const LINK_ID: Parameter = Parameter {
    name: "id",
    place: Place::Path,
    required: true,
    description: "The link.",
    schema: of::<LinkId>,
};

const UPLOAD_ID: Parameter = Parameter {
    name: "id",
    place: Place::Path,
    required: true,
    description: "The upload.",
    schema: of::<FileId>,
};

const USER_ID: Parameter = Parameter {
    name: "id",
    place: Place::Path,
    required: true,
    description: "The account.",
    schema: schema::text,
};

const MEMBER_ID: Parameter = Parameter { name: "user_id", ..USER_ID };

const GROUP_NAME: Parameter = Parameter {
    name: "name",
    place: Place::Path,
    required: true,
    description: "The group.",
    schema: schema::text,
};

const SEARCH: Parameter = Parameter {
    name: "q",
    place: Place::Query,
    required: false,
    description: "What the file's name contains, in upper or lower case. A page can be short, or \
                  empty, and still have a next one.",
    schema: schema::text,
};

const SORT: Parameter = Parameter {
    name: "sort",
    place: Place::Query,
    required: false,
    description: "The order: uploaded_at, filename, or one of them after a minus sign for the \
                  other direction. The newest come first when it is left out.",
    schema: of::<FileSort>,
};

const LIMIT: Parameter = Parameter {
    name: "limit",
    place: Place::Query,
    required: false,
    description: "How many records a page has at most.",
    schema: schema::limit,
};

const CURSOR: Parameter = Parameter {
    name: "cursor",
    place: Place::Query,
    required: false,
    description: "Where the page begins, from the Link header of the page before it.",
    schema: schema::text,
};

const fn token(description: &'static str) -> Parameter {
    let (name, place) = ("token", Place::Query);
    Parameter { name, place, required: true, description, schema: schema::text }
}

const fn get(path: &'static str) -> Route {
    Route { method: Method::GET, path }
}

const fn head(path: &'static str) -> Route {
    Route { method: Method::HEAD, path }
}

const fn post(path: &'static str) -> Route {
    Route { method: Method::POST, path }
}

const fn delete(path: &'static str) -> Route {
    Route { method: Method::DELETE, path }
}

const fn json<T: JsonSchema>(status: u16, description: &'static str) -> Answer {
    Answer { status, description, content: Content::Json(of::<T>) }
}

fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// The operation with this route, as `template.yaml` writes it.
#[must_use]
pub fn find(method: &Method, path: &str) -> Option<&'static Operation> {
    ALL.iter().copied().find(|operation| operation.has_route(method, path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_operations_share_a_name_or_a_route() {
        let names: BTreeSet<_> = ALL.iter().map(|operation| operation.name).collect();
        assert_eq!(names.len(), ALL.len());
        let routes = ALL.iter().flat_map(|operation| operation.routes);
        let unique: BTreeSet<_> = routes.clone().map(|it| (it.method.as_str(), it.path)).collect();
        assert_eq!(unique.len(), routes.count());
    }

    #[test]
    fn the_parameters_of_a_path_are_described() {
        for operation in ALL {
            for route in operation.routes {
                let named = route.path.split('/').filter_map(|it| it.strip_prefix('{'));
                for name in named.filter_map(|it| it.strip_suffix('}')) {
                    let described = operation.parameters.iter();
                    let mut path = described.filter(|it| it.place == Place::Path);
                    assert!(path.any(|it| it.name == name), "{}: {name}", operation.name);
                }
            }
        }
    }
}
