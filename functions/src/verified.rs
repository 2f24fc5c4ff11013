//! What somebody is told who has proven an address.

use share_model::{User, WaitingFor};

/// What the owner of `user` can do now. The account is as it was before the proof.
pub(crate) fn verified(user: &User) -> &'static str {
    if user.waiting_for == Some(WaitingFor::ProofThenApproval) {
        "Your e-mail address is verified. Your account waits to be approved; a mail will tell you."
    } else {
        "Your e-mail address is verified. You can log in now."
    }
}
