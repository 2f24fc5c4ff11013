//! Sessions: logging in, going on, looking at them, and logging out.

mod end_sessions;
mod list_sessions;
mod login;
mod refresh_session;

pub use end_sessions::EndSessions;
pub use list_sessions::ListSessions;
pub use login::Login;
pub use refresh_session::RefreshSession;
