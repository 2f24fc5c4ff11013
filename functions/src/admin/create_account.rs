//! An account by invitation. No route leads here: IAM says who may invoke the function, and so who
//! may invite.
//!
//! `sam remote invoke CreateAccount --event '{"username": …, "email": …, "role": "ops"}'`

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use share_auth::random_bytes;
use share_contract::settings::PUBLIC_BASE_URL;
use share_http::Fields;
use share_model::{EmailAddress, Role, User, UserId, Username};
use share_runtime::{DirectFunction, NotDone};
use share_store::{Actor, Clock, Platform, Registration, RequestContext, StartError};

use crate::invitations::Invitations;

/// What this function touches; its IAM policy in `template.yaml` says the same.
pub struct CreateAccount {
    invitations: Invitations,
    public_base_url: String,
}

impl DirectFunction for CreateAccount {
    const NAME: &'static str = "CreateAccount";

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            invitations: Invitations::connect(platform)?,
            // Required here: no request says where the API is.
            public_base_url: PUBLIC_BASE_URL.read(platform.environment())?,
        })
    }

    async fn invoke(&self, input: Map<String, Value>, clock: &Clock) -> Result<Value, NotDone> {
        let user = read(Fields::new(input), clock())?;
        // Whoever invokes the function has no account here.
        let context = RequestContext { clock, request_id: Self::NAME };
        let actor = Actor { user: None, context };
        match self.invitations.invite(&user, &self.public_base_url, None, actor).await? {
            Registration::Done => {}
            Registration::UsernameTaken => return Err(NotDone::because("the username is taken")),
            Registration::EmailKnown => {
                return Err(NotDone::because("the e-mail address has an account"));
            }
        }
        Ok(json!({
            "message": "Account created. An invitation to set the password was mailed.",
            "username": user.username.as_str(),
            "role": user.role.as_str(),
        }))
    }
}

fn read(mut fields: Fields, now: Timestamp) -> Result<User, NotDone> {
    let username = fields.required("username", Username::parse);
    let email = fields.required("email", EmailAddress::parse);
    let role = fields.required("role", Role::parse);
    let id = UserId::new(now, random_bytes());
    let user = || Some(User::new(id, username?, email?, role?, now));
    Ok(fields.finish(user())?)
}
