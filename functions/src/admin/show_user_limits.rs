//! `user_limits`: the limits of an account that are in force.

use jiff::Timestamp;
use share_contract::{ErrorCode, LimitDetails, LimitKind, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Request};
use share_model::limits::{
    DOWNLOAD_MAILS, EMAIL_CHANGE_MAILS, EMAIL_CHANGES, FILE_MAILS, GUESSES_OF_CODE,
    GUESSES_OF_NAME, INVITATION_MAILS, LINKS, Limit, RESET_MAILS, SIGNUP_MAILS, UPLOADS,
    VERIFICATION_MAILS,
};
use share_model::{User, UserId};
use share_store::{Limits, Platform, StartError, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ShowUserLimits {
    authenticator: Authenticator,
    users: Users,
    limits: Limits,
}

impl Endpoint for ShowUserLimits {
    const NAME: &'static str = "ShowUserLimits";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::USER_LIMITS];
    type Json = Vec<LimitDetails>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            limits: Limits::connect(platform)?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<LimitDetails>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<UserId>)?; // 400
        let id = id.ok_or(ErrorCode::UserUnknown)?;
        let user = self.users.by_id(id).await?.ok_or(ErrorCode::UserUnknown)?; // 404, 503
        let (of_user, now) = (limits_of(&user), request.now());
        let asked: Vec<_> =
            of_user.iter().map(|(_, limit, whom)| (*limit, whom.as_str())).collect();
        let found = self.limits.counted(&asked, now).await?; // 503
        let in_force = of_user.iter().zip(found).filter_map(|((what, limit, _), counter)| {
            let counter = counter.filter(|counter| counter.taken > 0)?;
            Some(LimitDetails {
                what: *what,
                taken: counter.taken,
                most: limit.most,
                ends_at: Timestamp::from_second(limit.window_end(now)).ok()?,
                retry_after: (!limit.permits(counter, now))
                    .then(|| limit.reached(counter, now).retry_after),
            })
        });
        Ok(Answer::ok(in_force.collect()))
    }
}

/// Every limit whose counter an account's id, name or address names. Those of a source, of a session
/// and of a browser that has logged in before cannot be found by the account.
fn limits_of(user: &User) -> Vec<(LimitKind, &'static Limit, String)> {
    let (name, address) = (user.username.canonical(), user.email.as_str());
    let of_account: [(_, &Limit); _] = [
        (LimitKind::WrongCodes, &GUESSES_OF_CODE),
        (LimitKind::Links, &LINKS),
        (LimitKind::Uploads, &UPLOADS),
        (LimitKind::AddressChanges, &EMAIL_CHANGES),
    ];
    let of_address: [(_, &Limit); _] = [
        (LimitKind::WrongPasswordsForAddress, &GUESSES_OF_NAME),
        (LimitKind::ResetMails, &RESET_MAILS),
        (LimitKind::SignUpMails, &SIGNUP_MAILS),
        (LimitKind::VerificationMails, &VERIFICATION_MAILS),
        (LimitKind::NewAddressMails, &EMAIL_CHANGE_MAILS),
        (LimitKind::InvitationMails, &INVITATION_MAILS),
        (LimitKind::FileMails, &FILE_MAILS),
        (LimitKind::DownloadMails, &DOWNLOAD_MAILS),
    ];
    let mut all = vec![(LimitKind::WrongPasswordsForName, &GUESSES_OF_NAME, name)];
    all.extend(of_account.map(|(what, limit)| (what, limit, user.id.to_string())));
    all.extend(of_address.map(|(what, limit)| (what, limit, address.to_owned())));
    all
}
