//! Every operation of the API: the one table of names, routes, callers and shapes.
//!
//! `template.yaml` says which function serves a route; a test proves that its routes are these.

mod accounts;
mod admin;
mod downloads;
mod files;
mod links;
mod sessions;
mod uploads;
mod web;

use http::Method;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use share_model::{FileId, LinkId, MaxDownloads, Role};

use crate::{Answer, Content, FileSort, Operation, Parameter, Place, Route, schema};

pub use accounts::{
    ACCOUNT_CREATE, ACCOUNT_DELETE, ACCOUNT_EXPORT, ACCOUNT_SHOW, ACCOUNT_VERIFY,
    EMAIL_CHANGE_CONFIRM, EMAIL_CHANGE_REQUEST, EMAIL_CHANGE_SHOW, EMAIL_UNDO_CONFIRM,
    EMAIL_UNDO_SHOW, INVITATION_ACCEPT, INVITATION_SHOW, PASSWORD_CHANGE, PASSWORD_RESET_ANSWER,
    PASSWORD_RESET_CONFIRM, PASSWORD_RESET_REQUEST, PASSWORD_RESET_SHOW, RECOVERY_CODES_CREATE,
    TOTP_CONFIRM, TOTP_CREATE, TOTP_DELETE, VERIFICATION_ANSWER, VERIFICATION_REQUEST,
    VERIFICATION_SHOW,
};
pub use admin::{
    APPROVAL_GRANT, APPROVAL_LIST, APPROVAL_REFUSE, AUDIT_LIST, GROUP_CREATE, GROUP_DELETE,
    GROUP_JOIN, GROUP_LEAVE, GROUP_LIST, INVITATION_CREATE, INVITATION_LIST, INVITATION_RESEND,
    INVITATION_WITHDRAW, USER_CHANGE, USER_DELETE, USER_EXPORT, USER_LIMITS, USER_LIST,
    USER_SESSIONS, USER_SHOW,
};
pub use downloads::{DOWNLOAD_SHOW, FILE_DOWNLOAD, FILE_INSPECT};
pub use files::{
    FILE_CHANGE, FILE_DELETE, FILE_LIST, FILE_LIST_UPLOADED, FILE_SHOW, FILE_UPLOAD, RECEIPT_LIST,
};
pub use links::{
    KEY_LIST, LINK_CERTIFICATE, LINK_CREATE, LINK_CREATE_BY_ID, LINK_LIST, LINK_REVOKE,
};
pub use sessions::{
    CLIENT_LOGIN, OPS_LOGIN, SESSION_CREATE, SESSION_END, SESSION_END_ALL, SESSION_LIST,
    SESSION_REFRESH,
};
pub use uploads::{
    IMPORT_CREATE, UPLOAD_ABORT, UPLOAD_COMPLETE, UPLOAD_CREATE, UPLOAD_SHOW, UPLOAD_SIGN_PARTS,
};
pub use web::{APP_FILE_SHOW, APP_SHOW, DOCS_SHOW, OPENAPI_SHOW};

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
    &SESSION_CREATE,
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
    &USER_SESSIONS,
    &USER_LIMITS,
    &GROUP_LIST,
    &GROUP_CREATE,
    &GROUP_DELETE,
    &GROUP_JOIN,
    &GROUP_LEAVE,
    &INVITATION_CREATE,
    &INVITATION_LIST,
    &INVITATION_RESEND,
    &INVITATION_WITHDRAW,
    &APPROVAL_LIST,
    &APPROVAL_GRANT,
    &APPROVAL_REFUSE,
    &ACCOUNT_EXPORT,
    &USER_EXPORT,
    &ACCOUNT_DELETE,
    &USER_DELETE,
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
    &AUDIT_LIST,
    &KEY_LIST,
    &OPENAPI_SHOW,
    &DOCS_SHOW,
    &APP_SHOW,
    &APP_FILE_SHOW,
];

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

const IDEMPOTENCY_KEY: Parameter = Parameter {
    name: "Idempotency-Key",
    place: Place::Header,
    required: false,
    description: "A random key of the caller's. For 24 hours the same request with the same key makes \
                  no second file: the answer is about the first one.",
    schema: schema::key,
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

const fn put(path: &'static str) -> Route {
    Route { method: Method::PUT, path }
}

const fn patch(path: &'static str) -> Route {
    Route { method: Method::PATCH, path }
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
