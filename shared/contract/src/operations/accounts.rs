//! Operations about one's own account: signing up, proving an address, passwords, second factors.

use super::{EVERYBODY, delete, get, head, json, of, post, token};
use crate::{
    AccountCreated, AccountDeletion, AccountDetails, AccountExport, Answer, Body, Caller, Content,
    EmailChange, EmailConfirmation, EmailSet, ErrorCode, FactorCode, MailRequest, MailSent,
    NewPassword, Operation, PasswordChange, PasswordResetConfirm, PasswordSet, RecoveryCodesIssued,
    SignUp, TotpConfirmation, TotpCreated, TotpRemoval, TotpRequest, VerificationAnswer,
    VerificationDone,
};

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
    errors: &[
        ErrorCode::OpsByInvitation,
        ErrorCode::ClientByInvitation,
        ErrorCode::SignupClosed,
        ErrorCode::UsernameTaken,
        ErrorCode::TooManySignups,
    ],
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
        ErrorCode::TooManyGuesses,
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
    errors: &[
        ErrorCode::WrongPassword,
        ErrorCode::SignupClosed,
        ErrorCode::TooManyGuesses,
        ErrorCode::TooManyMails,
        ErrorCode::EmailJustChanged,
    ],
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
    summary: "Prove a new address with the account's password, and give it to the account.",
    caller: Caller::TokenHolder,
    routes: &[post("/change-email")],
    parameters: &[token("The token from the mailed link.")],
    body: Body::JsonOrForm(of::<EmailConfirmation>),
    answers: &[Answer {
        status: 200,
        description: "The account has the address.",
        content: Content::JsonOrPage(of::<EmailSet>),
    }],
    errors: &[
        ErrorCode::WrongPassword,
        ErrorCode::TooManyGuesses,
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

/// `GET /api/account/export`
pub const ACCOUNT_EXPORT: Operation = Operation {
    name: "account_export",
    summary: "All that is held about you.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[get("/api/account/export")],
    parameters: &[],
    body: Body::None,
    answers: &[json::<AccountExport>(200, "All of it, or `cut` says what is left out.")],
    errors: &[],
};

/// `DELETE /api/account`
pub const ACCOUNT_DELETE: Operation = Operation {
    name: "account_delete",
    summary: "Delete your account, and what names you.",
    caller: Caller::AccessToken(EVERYBODY),
    routes: &[delete("/api/account")],
    parameters: &[],
    body: Body::Json(of::<AccountDeletion>),
    answers: &[Answer { status: 204, description: "It is closed.", content: Content::Empty }],
    errors: &[
        ErrorCode::WrongPassword,
        ErrorCode::TooManyGuesses,
        ErrorCode::UserUnknown,
        ErrorCode::LastAdmin,
    ],
};
