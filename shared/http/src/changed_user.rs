//! What became of a change of the caller's own account, as an answer.

use share_contract::ErrorCode;
use share_model::User;
use share_store::UserApplied;

use crate::ApiError;

/// The account as it is after the change.
///
/// # Errors
/// Why it was refused; 401 when the account is gone, 503.
pub fn changed_user<E: Into<ApiError>>(applied: UserApplied<E>) -> Result<User, ApiError> {
    match applied {
        UserApplied::Changed(user) | UserApplied::Unchanged(user) => Ok(user),
        UserApplied::Refused(error) => Err(error.into()),
        UserApplied::Absent => Err(ErrorCode::InvalidToken.into()),
        UserApplied::WritesRefused(_) => {
            Err(ApiError::unavailable("what goes with a change of a user was refused".to_owned()))
        }
    }
}
