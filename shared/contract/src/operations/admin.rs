//! Operations of admins, some of them also of Ops: accounts, groups, invitations and approvals.

use share_model::{Role, UserState};

use super::{
    CURSOR, GROUP_NAME, LIMIT, MEMBER_ID, SEARCH, SORT, USER_ID, delete, get, json, of, patch,
    post, put,
};
use crate::{
    AccountExport, Answer, ApprovalSummary, AuditEntry, Body, Caller, Content, ErrorCode,
    GroupCreate, GroupDetails, InvitationRequest, InvitationSummary, LimitDetails, Operation,
    Parameter, Place, SchemaOf, SessionSummary, UserChange, UserDetails, UserSort, schema,
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
    routes: &[patch("/api/admin/users/{id}")],
    parameters: &[USER_ID],
    body: Body::Json(of::<UserChange>),
    answers: &[json::<UserDetails>(200, "The account as it is now.")],
    errors: &[ErrorCode::UserUnknown, ErrorCode::LastAdmin],
};

/// `GET /api/admin/users/{id}/sessions`
pub const USER_SESSIONS: Operation = Operation {
    name: "user_sessions",
    summary: "The sessions of an account, the newest first.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/users/{id}/sessions")],
    parameters: &[USER_ID, LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<SessionSummary>>(200, "A page. The header Link leads to the next one.")],
    errors: &[ErrorCode::UserUnknown],
};

/// `GET /api/admin/users/{id}/limits`
pub const USER_LIMITS: Operation = Operation {
    name: "user_limits",
    summary: "The limits of an account that are in force.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/users/{id}/limits")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[json::<Vec<LimitDetails>>(200, "The limits.")],
    errors: &[ErrorCode::UserUnknown],
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
    routes: &[put("/api/admin/groups/{name}/members/{user_id}")],
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

/// `POST /api/admin/invitations`
pub const INVITATION_CREATE: Operation = Operation {
    name: "invitation_create",
    summary: "Invite somebody. The mailed link sets the password, for 7 days.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[post("/api/admin/invitations")],
    parameters: &[],
    body: Body::Json(of::<InvitationRequest>),
    answers: &[json::<InvitationSummary>(201, "The mail is sent.")],
    errors: &[ErrorCode::EmailKnown, ErrorCode::UsernameTaken, ErrorCode::TooManyInvitations],
};

/// `GET /api/admin/invitations`
pub const INVITATION_LIST: Operation = Operation {
    name: "invitation_list",
    summary: "Invitations that can still be accepted, the oldest first.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/invitations")],
    parameters: &[LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<InvitationSummary>>(
        200,
        "A page. The header Link leads to the next one.",
    )],
    errors: &[],
};

/// `POST /api/admin/invitations/{id}`
pub const INVITATION_RESEND: Operation = Operation {
    name: "invitation_resend",
    summary: "Send an invitation once more, with a new link. The older link ends.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[post("/api/admin/invitations/{id}")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[json::<InvitationSummary>(200, "The mail is sent.")],
    errors: &[ErrorCode::InvitationUnknown, ErrorCode::TooManyInvitations],
};

/// `DELETE /api/admin/invitations/{id}`
pub const INVITATION_WITHDRAW: Operation = Operation {
    name: "invitation_withdraw",
    summary: "Withdraw an invitation. The account is deleted.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[delete("/api/admin/invitations/{id}")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[Answer {
        status: 204,
        description: "The link has ended, and the name and the address are free.",
        content: Content::Empty,
    }],
    errors: &[ErrorCode::InvitationUnknown],
};

/// `GET /api/approvals`
pub const APPROVAL_LIST: Operation = Operation {
    name: "approval_list",
    summary: "Who has signed up, proven the address, and waits to be let in; the oldest first.",
    caller: Caller::AccessToken(OPS_AND_ADMINS),
    routes: &[get("/api/approvals")],
    parameters: &[LIMIT, CURSOR],
    body: Body::None,
    answers: &[json::<Vec<ApprovalSummary>>(200, "A page. The header Link leads to the next one.")],
    errors: &[],
};

/// `POST /api/approvals/{id}`
pub const APPROVAL_GRANT: Operation = Operation {
    name: "approval_grant",
    summary: "Let somebody in, who is told by mail.",
    caller: Caller::AccessToken(OPS_AND_ADMINS),
    routes: &[post("/api/approvals/{id}")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[Answer {
        status: 204,
        description: "The account can be used.",
        content: Content::Empty,
    }],
    errors: &[ErrorCode::ApprovalUnknown],
};

/// `DELETE /api/approvals/{id}`
pub const APPROVAL_REFUSE: Operation = Operation {
    name: "approval_refuse",
    summary: "Do not let somebody in, who is told by mail. The account is deleted.",
    caller: Caller::AccessToken(OPS_AND_ADMINS),
    routes: &[delete("/api/approvals/{id}")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[Answer {
        status: 204,
        description: "The account is deleted, and its name and address are free.",
        content: Content::Empty,
    }],
    errors: &[ErrorCode::ApprovalUnknown],
};

/// Those who decide who may come in.
const OPS_AND_ADMINS: &[Role] = &[Role::Ops, Role::Admin];

/// `GET /api/admin/audit`
pub const AUDIT_LIST: Operation = Operation {
    name: "audit_list",
    summary: "Who did what to which file or account, the newest first, page by page or as CSV.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/audit")],
    parameters: &[
        of_audit(
            "subject",
            "What was acted on: `file:<id>`, `user:<id>` or `group:<id>`.",
            schema::text,
        ),
        of_audit("actor", "The id of the account that acted.", schema::text),
        of_audit("action", "What was done, such as `session_begun`.", schema::text),
        of_audit("after", "This moment or later.", schema::moment),
        of_audit("before", "Earlier than this moment.", schema::moment),
        LIMIT,
        CURSOR,
    ],
    body: Body::None,
    answers: &[Answer {
        status: 200,
        description: "A page, which can be shorter than asked for, or empty. The header Link leads \
                      to the next one. A page of CSV has up to 10,000 lines, and then one more \
                      with the address of the next page.",
        content: Content::JsonOrCsv(of::<Vec<AuditEntry>>),
    }],
    errors: &[],
};

/// Which lines of the audit a list has.
const fn of_audit(name: &'static str, description: &'static str, schema: SchemaOf) -> Parameter {
    Parameter { name, place: Place::Query, required: false, description, schema }
}

/// `GET /api/admin/users/{id}/export`
pub const USER_EXPORT: Operation = Operation {
    name: "user_export",
    summary: "All that is held about an account and its owner.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[get("/api/admin/users/{id}/export")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[json::<AccountExport>(200, "All of it, or `cut` says what is left out.")],
    errors: &[ErrorCode::UserUnknown],
};

/// `DELETE /api/admin/users/{id}`
pub const USER_DELETE: Operation = Operation {
    name: "user_delete",
    summary: "Delete an account, and what names its owner.",
    caller: Caller::AccessToken(&[Role::Admin]),
    routes: &[delete("/api/admin/users/{id}")],
    parameters: &[USER_ID],
    body: Body::None,
    answers: &[Answer { status: 204, description: "It is closed.", content: Content::Empty }],
    errors: &[ErrorCode::UserUnknown, ErrorCode::LastAdmin],
};
