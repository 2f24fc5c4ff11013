//! The paths of the service. Beside this file only `rules/routing.rs` spells paths, most of them wrong.

pub const SIGNUP: &str = "/api/users/signup";
pub const SIGNUP_ALIAS: &str = "/api/client/signup";
pub const VERIFY_EMAIL: &str = "/api/users/verify-email";
pub const VERIFY_EMAIL_ALIAS: &str = "/api/client/verify";
pub const VERIFY_PAGE: &str = "/verify";
pub const SET_PASSWORD: &str = "/set-password";
pub const SET_PASSWORD_ALIAS: &str = "/api/users/set-password";
pub const VERIFICATION: &str = "/api/account/verification";
pub const PASSWORD_RESET: &str = "/api/account/password-reset";
pub const PASSWORD_RESET_CONFIRM: &str = "/api/account/password-reset/confirm";
pub const RESET_PASSWORD: &str = "/reset-password";
pub const ACCOUNT: &str = "/api/account";
pub const PASSWORD: &str = "/api/account/password";
pub const EMAIL: &str = "/api/account/email";
pub const CHANGE_EMAIL: &str = "/change-email";
pub const UNDO_EMAIL: &str = "/undo-email";
pub const CLIENT_LOGIN: &str = "/api/client/login";
pub const CLIENT_LOGIN_ALIAS: &str = "/api/users/client-login";
pub const OPS_LOGIN: &str = "/api/ops/login";
pub const OPS_LOGIN_ALIAS: &str = "/api/users/ops-login";
pub const REFRESH: &str = "/api/sessions/refresh";
pub const SESSIONS: &str = "/api/sessions";
pub const TOTP: &str = "/api/account/totp";
pub const CONFIRM_TOTP: &str = "/api/account/totp/confirm";
pub const RECOVERY_CODES: &str = "/api/account/recovery-codes";
pub const USERS: &str = "/api/admin/users";
pub const GROUPS: &str = "/api/admin/groups";
/// Who has signed up and waits to be let in.
pub const APPROVALS: &str = "/api/approvals";
pub const INVITATIONS: &str = "/api/admin/invitations";
pub const UPLOAD: &str = "/api/files/upload";
pub const UPLOAD_ALIAS: &str = "/api/file/upload";
pub const UPLOADS: &str = "/api/uploads";
pub const IMPORTS: &str = "/api/imports";
pub const LIST_FILES: &str = "/api/files/list";
pub const LIST_FILES_ALIAS: &str = "/api/file/list";
/// What its reader has uploaded.
pub const LIST_UPLOADED: &str = "/api/files/uploaded";
/// Without the file's id.
pub const GENERATE_LINK: &str = "/api/files/generate-download-link";
/// The file's id is in the body.
pub const GENERATE_LINK_BY_BODY: &str = "/api/file/generate-load";
pub const DOWNLOAD: &str = "/api/file/download";
pub const DOWNLOAD_ALIAS: &str = "/api/files/download";
/// For people.
pub const DOWNLOAD_PAGE: &str = "/download";
pub const LIST_LINKS: &str = "/api/links";
pub const EXPORT: &str = "/api/account/export";
pub const AUDIT: &str = "/api/admin/audit";
pub const KEYS: &str = "/.well-known/jwks.json";
pub const OPENAPI: &str = "/api/openapi.json";
pub const DOCS: &str = "/api/docs";
/// The web app.
pub const APP: &str = "/";

/// The login route for an account of this role.
pub fn login(role: &str) -> &'static str {
    if role == "client" { CLIENT_LOGIN } else { OPS_LOGIN }
}

pub fn generate_link(file: &str) -> String {
    format!("{GENERATE_LINK}/{file}")
}

/// What its uploader sees and changes of a file.
pub fn file(id: &str) -> String {
    format!("/api/files/{id}")
}

pub fn upload(id: &str) -> String {
    format!("{UPLOADS}/{id}")
}

pub fn upload_parts(id: &str) -> String {
    format!("{UPLOADS}/{id}/parts")
}

pub fn complete_upload(id: &str) -> String {
    format!("{UPLOADS}/{id}/complete")
}

pub fn receipts(file: &str) -> String {
    format!("/api/files/{file}/receipts")
}

pub fn link(id: &str) -> String {
    format!("{LIST_LINKS}/{id}")
}

pub fn certificate(link: &str) -> String {
    format!("{LIST_LINKS}/{link}/certificate")
}

/// Whether an account of this role may use this route.
pub fn is_for(method: &str, path: &str, role: &str) -> bool {
    PROTECTED.contains(&(method, path, role))
}

pub fn set_password(token: &str) -> String {
    format!("{SET_PASSWORD}?token={token}")
}

pub fn verify_page(token: &str) -> String {
    format!("{VERIFY_PAGE}?token={token}")
}

pub fn user(id: &str) -> String {
    format!("{USERS}/{id}")
}

pub fn sessions_of_user(id: &str) -> String {
    format!("{USERS}/{id}/sessions")
}

pub fn limits_of_user(id: &str) -> String {
    format!("{USERS}/{id}/limits")
}

pub fn group(name: &str) -> String {
    format!("{GROUPS}/{name}")
}

pub fn member(group: &str, user: &str) -> String {
    format!("{GROUPS}/{group}/members/{user}")
}

pub fn session(id: &str) -> String {
    format!("{SESSIONS}/{id}")
}

pub fn approval(id: &str) -> String {
    format!("{APPROVALS}/{id}")
}

pub fn invitation(id: &str) -> String {
    format!("{INVITATIONS}/{id}")
}

/// Every route that asks who is calling: method, path, and a role that may use it. Each succeeds
/// after those before it, so what deletes stands last.
pub const PROTECTED: [(&str, &str, &str); 85] = [
    ("GET", ACCOUNT, "client"),
    ("GET", ACCOUNT, "ops"),
    ("GET", ACCOUNT, "admin"),
    ("POST", PASSWORD, "client"),
    ("POST", PASSWORD, "ops"),
    ("POST", PASSWORD, "admin"),
    ("POST", EMAIL, "client"),
    ("POST", EMAIL, "ops"),
    ("POST", EMAIL, "admin"),
    ("POST", TOTP, "client"),
    ("POST", CONFIRM_TOTP, "client"),
    ("POST", RECOVERY_CODES, "client"),
    ("DELETE", TOTP, "client"),
    ("POST", TOTP, "ops"),
    ("POST", CONFIRM_TOTP, "ops"),
    ("POST", RECOVERY_CODES, "ops"),
    ("DELETE", TOTP, "ops"),
    ("POST", TOTP, "admin"),
    ("POST", CONFIRM_TOTP, "admin"),
    ("POST", RECOVERY_CODES, "admin"),
    ("DELETE", TOTP, "admin"),
    ("POST", UPLOAD, "ops"),
    ("POST", UPLOAD_ALIAS, "ops"),
    ("POST", IMPORTS, "ops"),
    ("GET", LIST_FILES, "client"),
    ("GET", LIST_FILES_ALIAS, "client"),
    ("POST", "/api/files/generate-download-link/{file_id}", "client"),
    ("GET", "/api/files/generate-download-link/{file_id}", "client"),
    ("POST", GENERATE_LINK_BY_BODY, "client"),
    ("GET", LIST_LINKS, "client"),
    ("DELETE", "/api/links/{id}", "client"),
    ("GET", "/api/links/{id}/certificate", "client"),
    ("GET", "/api/links/{id}/certificate", "ops"),
    ("GET", "/api/files/{file_id}/receipts", "ops"),
    ("POST", UPLOADS, "ops"),
    ("GET", "/api/uploads/{id}", "ops"),
    ("POST", "/api/uploads/{id}/parts", "ops"),
    ("POST", COMPLETE_UPLOAD, "ops"),
    ("DELETE", "/api/uploads/{id}", "ops"),
    ("GET", LIST_UPLOADED, "ops"),
    ("GET", "/api/files/{file_id}", "ops"),
    ("GET", "/api/files/{file_id}", "admin"),
    ("PATCH", "/api/files/{file_id}", "ops"),
    ("PATCH", "/api/files/{file_id}", "admin"),
    ("DELETE", "/api/files/{file_id}", "ops"),
    ("DELETE", "/api/files/{file_id}", "admin"),
    ("GET", USERS, "admin"),
    ("GET", "/api/admin/users/{id}", "admin"),
    ("GET", "/api/admin/users/{id}/sessions", "admin"),
    ("GET", "/api/admin/users/{id}/limits", "admin"),
    ("PATCH", "/api/admin/users/{id}", "admin"),
    ("GET", AUDIT, "admin"),
    ("GET", EXPORT, "client"),
    ("GET", EXPORT, "ops"),
    ("GET", EXPORT, "admin"),
    ("GET", "/api/admin/users/{id}/export", "admin"),
    ("DELETE", "/api/admin/users/{id}", "admin"),
    ("POST", GROUPS, "admin"),
    ("GET", GROUPS, "ops"),
    ("GET", GROUPS, "admin"),
    ("PUT", "/api/admin/groups/{name}/members/{user_id}", "admin"),
    ("DELETE", "/api/admin/groups/{name}/members/{user_id}", "admin"),
    ("DELETE", "/api/admin/groups/{name}", "admin"),
    ("GET", APPROVALS, "ops"),
    ("GET", APPROVALS, "admin"),
    ("POST", "/api/approvals/{id}", "ops"),
    ("POST", "/api/approvals/{id}", "admin"),
    ("DELETE", "/api/approvals/{id}", "ops"),
    ("DELETE", "/api/approvals/{id}", "admin"),
    ("POST", INVITATIONS, "admin"),
    ("GET", INVITATIONS, "admin"),
    ("POST", "/api/admin/invitations/{id}", "admin"),
    ("DELETE", "/api/admin/invitations/{id}", "admin"),
    ("GET", SESSIONS, "client"),
    ("GET", SESSIONS, "ops"),
    ("GET", SESSIONS, "admin"),
    ("DELETE", "/api/sessions/{id}", "client"),
    ("DELETE", "/api/sessions/{id}", "ops"),
    ("DELETE", "/api/sessions/{id}", "admin"),
    ("DELETE", ACCOUNT, "client"),
    ("DELETE", ACCOUNT, "ops"),
    ("DELETE", ACCOUNT, "admin"),
    ("DELETE", SESSIONS, "client"),
    ("DELETE", SESSIONS, "ops"),
    ("DELETE", SESSIONS, "admin"),
];

/// Codes of refusals that say that the caller may call the routes below this path: what
/// [`crate::Scene::call`] sends does not go with the state or the password of an account.
const ALLOWED_AND_REFUSED: [(&str, &str); 5] = [
    (ACCOUNT, "wrong_password"),
    (ACCOUNT, "second_factor_missing"),
    (APPROVALS, "approval_unknown"),
    (INVITATIONS, "invitation_unknown"),
    (INVITATIONS, "email_known"),
];

/// Whether this answer of a route refuses what was sent, and not who has sent it.
pub fn is_allowed_and_refused(path: &str, code: &str) -> bool {
    ALLOWED_AND_REFUSED.iter().any(|(below, it)| path.starts_with(below) && *it == code)
}

/// The route that needs an upload all parts of which are there.
pub const COMPLETE_UPLOAD: &str = "/api/uploads/{id}/complete";

/// Every route for anyone: method, path, and the answer when nothing at all is sent. The code is
/// empty where there is none.
pub const PUBLIC: [(&str, &str, u16, &str); 46] = [
    ("POST", VERIFICATION, 422, "invalid_field"),
    ("POST", PASSWORD_RESET, 422, "invalid_field"),
    ("POST", PASSWORD_RESET_CONFIRM, 422, "invalid_field"),
    ("GET", RESET_PASSWORD, 400, "missing_parameter"),
    ("HEAD", RESET_PASSWORD, 400, ""),
    ("POST", RESET_PASSWORD, 400, "missing_parameter"),
    ("GET", CHANGE_EMAIL, 400, "missing_parameter"),
    ("HEAD", CHANGE_EMAIL, 400, ""),
    ("POST", CHANGE_EMAIL, 400, "missing_parameter"),
    ("GET", UNDO_EMAIL, 400, "missing_parameter"),
    ("HEAD", UNDO_EMAIL, 400, ""),
    ("POST", UNDO_EMAIL, 400, "missing_parameter"),
    ("POST", SIGNUP, 422, "invalid_field"),
    ("POST", SIGNUP_ALIAS, 422, "invalid_field"),
    ("GET", VERIFY_EMAIL, 400, "missing_parameter"),
    ("POST", VERIFY_EMAIL, 400, "missing_parameter"),
    ("GET", VERIFY_EMAIL_ALIAS, 400, "missing_parameter"),
    ("POST", VERIFY_EMAIL_ALIAS, 400, "missing_parameter"),
    ("POST", SESSIONS, 422, "invalid_field"),
    ("POST", CLIENT_LOGIN, 422, "invalid_field"),
    ("POST", OPS_LOGIN, 422, "invalid_field"),
    ("POST", CLIENT_LOGIN_ALIAS, 422, "invalid_field"),
    ("POST", OPS_LOGIN_ALIAS, 422, "invalid_field"),
    ("POST", REFRESH, 422, "invalid_field"),
    ("GET", VERIFY_PAGE, 400, "missing_parameter"),
    ("HEAD", VERIFY_PAGE, 400, ""),
    ("POST", VERIFY_PAGE, 400, "missing_parameter"),
    ("GET", SET_PASSWORD, 400, "missing_parameter"),
    ("HEAD", SET_PASSWORD, 400, ""),
    ("POST", SET_PASSWORD, 400, "missing_parameter"),
    ("GET", SET_PASSWORD_ALIAS, 400, "missing_parameter"),
    ("POST", SET_PASSWORD_ALIAS, 400, "missing_parameter"),
    ("GET", DOWNLOAD, 400, "missing_parameter"),
    ("GET", DOWNLOAD_ALIAS, 400, "missing_parameter"),
    ("HEAD", DOWNLOAD, 400, ""),
    ("HEAD", DOWNLOAD_ALIAS, 400, ""),
    ("POST", DOWNLOAD, 400, "missing_parameter"),
    ("POST", DOWNLOAD_ALIAS, 400, "missing_parameter"),
    ("GET", DOWNLOAD_PAGE, 400, "missing_parameter"),
    ("HEAD", DOWNLOAD_PAGE, 400, ""),
    ("POST", DOWNLOAD_PAGE, 400, "missing_parameter"),
    ("GET", KEYS, 200, ""),
    ("GET", OPENAPI, 200, ""),
    ("GET", DOCS, 200, ""),
    ("GET", APP, 200, ""),
    ("GET", "/app/{file}", 404, "file_unknown"),
];
