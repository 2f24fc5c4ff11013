//! `account_create`: a new account, and a mail with which its owner proves the address.

use share_auth::{OpaqueSecret, Password, random_bytes};
use share_contract::settings::{ClientSignup, OPS_SIGNUP};
use share_contract::{AccountCreated, ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, Fields, PublicUrl, Request, limit_source};
use share_mail::Mail;
use share_model::limits::{SIGNUP_MAILS, SIGNUPS_FROM_SOURCE};
use share_model::{
    AuditAction, EmailAddress, Invalid, Role, TokenKind, User, UserId, Username, WaitingFor,
};
use share_store::{
    Audit, Limits, Mailer, OneTimeTokens, Platform, Registration, StartError, StoreError,
    TokenRecord, Users, Write,
};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct Signup {
    users: Users,
    tokens: OneTimeTokens,
    audit: Audit,
    mailer: Mailer,
    limits: Limits,
    public_url: PublicUrl,
    /// Whether anybody can become Ops. Off unless `OPS_SIGNUP` is `open`.
    ops_may_sign_up: bool,
    /// Who can become a Client.
    clients: ClientSignup,
}

struct Input {
    username: Username,
    email: EmailAddress,
    password: Password,
    role: Role,
}

impl Endpoint for Signup {
    const NAME: &'static str = "Signup";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::ACCOUNT_CREATE];
    type Json = AccountCreated;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            users: Users::connect(platform)?,
            tokens: OneTimeTokens::connect(platform)?,
            audit: Audit::connect(platform)?,
            mailer: Mailer::connect(platform)?,
            limits: Limits::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
            ops_may_sign_up: OPS_SIGNUP.read(platform.environment())?,
            clients: ClientSignup::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<AccountCreated>, ApiError> {
        let input = Input::read(request.json()?)?; // 400, 415, 422
        self.admit(&input)?; // 403
        let code = ErrorCode::TooManySignups;
        limit_source(&self.limits, &SIGNUPS_FROM_SOURCE, code, request).await?; // 429, 503
        let mut user = input.into_user(request).await;
        let actor = request.actor(user.id);
        let created =
            AuditAction::AccountCreated.with(format_args!("{} by sign-up", user.role.as_str()));
        let line = self.audit.of_account(user.id, created, actor);
        if user.role == Role::Ops {
            return self.ready_at_once(user, line).await; // 409, 503
        }
        let then = if self.clients == ClientSignup::Approval {
            user.waiting_for = Some(WaitingFor::ProofThenApproval);
            " Then the account waits to be approved."
        } else {
            ""
        };
        let secret = OpaqueSecret::generate();
        let end = request.now().as_second() + User::SIGN_UP_SECONDS;
        let token = TokenRecord::new(&secret, TokenKind::Verification, user.id, end);
        let base = &self.public_url.of(request, "")?; // 503
        let registration = self.users.sign_up(&user, &token, &self.tokens, line).await?; // 503
        let mail = match registration {
            Registration::Done => {
                Mail::Verification { base, token: &secret.reveal(), username: &user.username }
            }
            Registration::EmailKnown => Mail::AlreadyKnown { base },
            Registration::UsernameTaken => return Err(ErrorCode::UsernameTaken.into()), // 409
        };
        if let Err(failure) = self.send(&user.email, &mail, request).await {
            let line = self.audit.of_account(user.id, AuditAction::SignUpWithdrawn, actor);
            self.users.withdraw_sign_up(&user, &token, &self.tokens, line).await?;
            return Err(failure.into()); // 503
        }
        Ok(Answer::created(AccountCreated {
            message: format!(
                "Account created. Open the link that was mailed to you to verify the address.{then}"
            ),
            username: user.username,
            role: user.role,
            verification_url: (self.mailer.logs() && request.is_from_this_machine())
                .then(|| format!("{base}/api/users/verify-email?token={}", secret.reveal())),
        }))
    }
}

impl Signup {
    /// Whether somebody with this role and this address may sign up. Says nothing of accounts.
    fn admit(&self, input: &Input) -> Result<(), ErrorCode> {
        if input.role == Role::Ops {
            return if self.ops_may_sign_up { Ok(()) } else { Err(ErrorCode::OpsByInvitation) };
        }
        if self.clients == ClientSignup::Invitation {
            return Err(ErrorCode::ClientByInvitation);
        }
        if self.clients.takes(&input.email) { Ok(()) } else { Err(ErrorCode::SignupClosed) }
    }

    /// Sends the mail, unless anybody has caused many to its addressee today. Nobody is told.
    async fn send(
        &self,
        to: &EmailAddress,
        mail: &Mail<'_>,
        request: &Request,
    ) -> Result<(), StoreError> {
        let sending = self.mailer.send(to, mail);
        let to = to.as_str();
        self.limits.within(&SIGNUP_MAILS, to, request.now(), sending).await.map(drop)
    }

    /// Where anybody may sign up as Ops, nobody proves anything.
    async fn ready_at_once(
        &self,
        user: User,
        line: Write,
    ) -> Result<Answer<AccountCreated>, ApiError> {
        let user = User { verified: true, ..user };
        let registration = self.users.sign_up_at_once(&user, &self.tokens, line).await?;
        if registration == Registration::UsernameTaken {
            return Err(ErrorCode::UsernameTaken.into());
        }
        Ok(Answer::created(AccountCreated {
            message: "Account created. You can log in with its name.".to_owned(),
            username: user.username,
            role: user.role,
            verification_url: None,
        }))
    }
}

impl Input {
    fn read(mut fields: Fields) -> Result<Self, ApiError> {
        let username = fields.required("username", Username::parse);
        let email = fields.required("email", EmailAddress::parse);
        let password = fields.required("password", |text| match (&username, &email) {
            (Some(username), Some(email)) => Password::choose(text, username, email),
            // The length is worth telling even when the rest cannot be judged yet.
            _ => Password::present(text),
        });
        let role = fields.optional("role", |text| match text {
            "client" => Ok(Role::Client),
            "ops" => Ok(Role::Ops),
            _ => Err(Invalid::because("must be client or ops")),
        });
        let input = || {
            let role = role?.unwrap_or(Role::Client);
            Some(Self { username: username?, email: email?, password: password?, role })
        };
        fields.finish(input())
    }

    async fn into_user(self, request: &Request) -> User {
        let id = UserId::new(request.now(), random_bytes());
        User::new(id, self.username, self.email, self.role, request.now())
            .with_password(self.password.hash().await)
    }
}
