//! What only admins and operators do.

mod change_members;
mod change_user;
mod create_account;
mod create_group;
mod delete_group;
mod list_groups;
mod list_users;
mod show_user;

pub use change_members::ChangeMembers;
pub use change_user::ChangeUser;
pub use create_account::CreateAccount;
pub use create_group::CreateGroup;
pub use delete_group::DeleteGroup;
pub use list_groups::ListGroups;
pub use list_users::ListUsers;
pub use show_user::ShowUser;
