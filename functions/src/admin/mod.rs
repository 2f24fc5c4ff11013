//! Who may come in, and what only admins and operators do.

mod change_members;
mod change_user;
mod create_account;
mod create_group;
mod decide_approval;
mod delete_group;
mod invite_user;
mod list_approvals;
mod list_audit;
mod list_groups;
mod list_invitations;
mod list_users;
mod show_user;
mod show_user_limits;
mod withdraw_invitation;

pub use change_members::ChangeMembers;
pub use change_user::ChangeUser;
pub use create_account::CreateAccount;
pub use create_group::CreateGroup;
pub use decide_approval::DecideApproval;
pub use delete_group::DeleteGroup;
pub use invite_user::InviteUser;
pub use list_approvals::ListApprovals;
pub use list_audit::ListAudit;
pub use list_groups::ListGroups;
pub use list_invitations::ListInvitations;
pub use list_users::ListUsers;
pub use show_user::ShowUser;
pub use show_user_limits::ShowUserLimits;
pub use withdraw_invitation::WithdrawInvitation;
