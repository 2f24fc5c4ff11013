//! `invitation_create` and `invitation_resend`: invites somebody, or once more.

use jiff::Timestamp;
use share_auth::random_bytes;
use share_contract::{ErrorCode, InvitationSummary, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Fields, PublicUrl, Request, limit};
use share_model::limits::INVITATION_MAILS;
use share_model::{EmailAddress, Role, User, UserId, Username};
use share_store::{Actor, Admissions, Limits, Platform, Registration, StartError};

use crate::invitations::{INVITATION_SECONDS, Invitations};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct InviteUser {
    authenticator: Authenticator,
    admissions: Admissions,
    invitations: Invitations,
    limits: Limits,
    public_url: PublicUrl,
}

struct Input {
    email: EmailAddress,
    role: Role,
    username: Option<Username>,
}

impl Endpoint for InviteUser {
    const NAME: &'static str = "InviteUser";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::INVITATION_CREATE, &operations::INVITATION_RESEND];
    type Json = InvitationSummary;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            admissions: Admissions::connect(platform)?,
            invitations: Invitations::connect(platform)?,
            limits: Limits::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<InvitationSummary>, ApiError> {
        let admin = self.authenticator.caller(request).await?; // 401, 403
        let id = request.path_parameter("id", str::parse::<UserId>)?; // 400
        let base = &self.public_url.of(request, "")?; // 503
        if let Some(id) = id {
            let invited = self.admissions.invited(id).await?; // 503
            let user = invited.ok_or(ErrorCode::InvitationUnknown)?; // 404
            let (actor, now) = (request.actor(admin.id), request.now());
            let resend = async {
                let sent = self.invitations.resend(&self.admissions, &user, base, actor, now);
                if sent.await? { Ok(()) } else { Err(ErrorCode::InvitationUnknown.into()) }
            };
            self.within_limit(&user.email, request, resend).await?; // 404, 429, 503
            return Ok(Answer::ok(summary(user, now)?));
        }
        let input = read(request.json()?)?; // 400, 415, 422
        let address = input.email.clone();
        let invite = Box::pin(self.invite(input, base, request.actor(admin.id)));
        let user = self.within_limit(&address, request, invite).await?; // 409, 429, 503
        Ok(Answer::created(summary(user, request.now())?))
    }
}

impl InviteUser {
    /// Does what mails an invitation to `address`, unless several went there today. What fails does
    /// not count.
    async fn within_limit<T>(
        &self,
        address: &EmailAddress,
        request: &Request,
        action: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let (to, code) = (address.as_str(), ErrorCode::TooManyInvitations);
        let taken = limit(&self.limits, &INVITATION_MAILS, to, code, request).await?;
        let done = action.await;
        if done.is_err() {
            self.limits.give_back(taken).await?;
        }
        done
    }

    async fn invite(&self, input: Input, base: &str, actor: Actor<'_>) -> Result<User, ApiError> {
        let Input { email, role, username } = input;
        let Some(username) = username else {
            let invited = self.invitations.invite_address(&email, role, base, None, actor).await?;
            return Ok(invited.ok_or(ErrorCode::EmailKnown)?);
        };
        let now = (actor.context.clock)();
        let user = User::new(UserId::new(now, random_bytes()), username, email, role, now);
        match self.invitations.invite(&user, base, None, actor).await? {
            Registration::Done => Ok(user),
            Registration::EmailKnown => Err(ErrorCode::EmailKnown.into()),
            Registration::UsernameTaken => Err(ErrorCode::UsernameTaken.into()),
        }
    }
}

fn read(mut fields: Fields) -> Result<Input, ApiError> {
    let email = fields.required("email", EmailAddress::parse);
    let role = fields.required("role", Role::parse);
    let username = fields.optional("username", Username::parse);
    let input = || Some(Input { email: email?, role: role?, username: username? });
    fields.finish(input())
}

/// The invitation that was sent at `now`.
fn summary(user: User, now: Timestamp) -> Result<InvitationSummary, ApiError> {
    let end = Timestamp::from_second(now.as_second() + INVITATION_SECONDS);
    let end = end.map_err(|_| ApiError::unavailable("the clock is wrong".to_owned()))?;
    Ok(InvitationSummary::new(user, end))
}
