//! What changes accounts and sessions, and what must hold afterwards whatever broke down meanwhile.

use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::SignedDuration;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::api::Api;
use share_e2e::second_factor::{App, recovery_codes};
use share_e2e::world::real_time;
use share_e2e::{Answer, routes};

use super::Change;
use super::stage::{Person, Stage};

const NEW: &str = "a password of my own";

/// What is asked of the server.
#[derive(Debug, Clone, Copy)]
pub(super) enum Operation {
    Refresh,
    Login,
    ChangePassword,
    ConfirmReset,
    ConfirmEmail,
    ConfirmTotp,
    LoginByRecoveryCode,
    Disable,
    ForceReset,
    EndSession,
}

/// A request of one person, and where it leads.
pub(super) struct Attempt {
    operation: Operation,
    pub(super) name: String,
    person: Person,
    method: Method,
    path: String,
    /// The access token that comes with it; none when it is empty.
    access: String,
    body: Value,
    /// An address of this machine that no other attempt has, so that its guesses are counted.
    source: String,
    /// The status of an undisturbed answer.
    pub(super) done: u16,
    /// How the same request is answered once more: when nothing was done, and when it was carried out.
    pub(super) again: [(u16, &'static str); 2],
    aids: Aids,
}

/// What some attempts need besides.
#[derive(Default)]
struct Aids {
    /// A second session: its refresh token and its access token.
    other: Option<(String, String)>,
    app: Option<App>,
    /// Recovery codes.
    codes: Vec<String>,
    /// An address that the account is to have.
    email: String,
    /// The path at which an admin changes the account.
    user: String,
}

impl Operation {
    /// Whether only so much may have been done. A forced reset takes the password away first, and
    /// then mails a link; without it the owner asks for another one.
    pub(super) fn may_stop_at(self, change: &Change) -> bool {
        matches!(self, Self::ForceReset) && !change.contains_key("+ LinksTable")
    }

    /// Somebody new of this name, who is about to ask for it.
    pub(super) async fn prepare(self, stage: &Stage, name: &str) -> Attempt {
        let (api, person) = (&stage.server.api, stage.person(name).await);
        let mut aids = Aids::default();
        let post = |path: &str, access: &str, body: Value| {
            (Method::POST, path.to_owned(), access.to_owned(), body)
        };
        let password = &person.password;
        let ((method, path, access, body), done, again) = match self {
            Self::Refresh => {
                let body = json!({"refresh": person.refresh});
                (post(routes::REFRESH, "", body), 200, [(200, ""); 2])
            }
            Self::Login => {
                let body = json!({"username": name, "password": password});
                (post(routes::CLIENT_LOGIN, "", body), 200, [(200, ""); 2])
            }
            Self::ChangePassword => {
                let other = api.login("client", ("username", name), password).await;
                aids.other = Some((other.field("refresh"), other.field("access")));
                let body = json!({"current": password, "new": NEW});
                let again = [(204, ""), (403, "wrong_password")];
                (post(routes::PASSWORD, &person.access, body), 204, again)
            }
            Self::ConfirmReset => {
                let token = stage.reset_token(&person.email).await;
                let body = json!({"token": token, "password": NEW});
                let again = [(200, ""), (410, "password_reset_used")];
                (post(routes::PASSWORD_RESET_CONFIRM, "", body), 200, again)
            }
            Self::ConfirmEmail => {
                aids.email = format!("{name}@example.net");
                let body = json!({"email": aids.email, "password": password});
                api.post_as(routes::EMAIL, &person.access, &body).await.is(202);
                let mail = stage.mails.newest(&aids.email);
                let token = mail.token(routes::CHANGE_EMAIL);
                let path = format!("{}?token={token}", routes::CHANGE_EMAIL);
                (
                    post(&path, "", json!({"password": password})),
                    200,
                    [(200, ""), (410, "email_change_used")],
                )
            }
            Self::ConfirmTotp => {
                let app = api.create_totp(&person.access, password).await;
                let body = json!({"code": app.code(real_time())});
                aids.app = Some(app);
                let again = [(200, ""), (409, "second_factor_present")];
                (post(routes::CONFIRM_TOTP, &person.access, body), 200, again)
            }
            Self::LoginByRecoveryCode => {
                let app = api.create_totp(&person.access, password).await;
                let confirmed = api.confirm_totp(&person.access, &app.code(real_time())).await;
                aids.codes = recovery_codes(&confirmed.is_json(200));
                let challenge = api.login("client", ("username", name), password).await;
                let challenge = challenge.field("challenge");
                let body = json!({"challenge": challenge, "code": aids.codes[0]});
                let again = [(200, ""), (401, "invalid_code")];
                (post(routes::CLIENT_LOGIN, "", body), 200, again)
            }
            Self::Disable | Self::ForceReset => {
                aids.user = routes::user(&AccessToken::read(&person.access).user());
                let change = match self {
                    Self::Disable => json!({"active": false}),
                    _ => json!({"password": "reset"}),
                };
                let request = (Method::PATCH, aids.user.clone(), api.token("admin").await, change);
                (request, 200, [(200, ""); 2])
            }
            Self::EndSession => {
                let path = routes::session("current");
                let request = (Method::DELETE, path, person.access.clone(), Value::Null);
                (request, 204, [(204, ""), (401, "session_revoked")])
            }
        };
        let (operation, name, source) = (self, name.to_owned(), next_source());
        Attempt { operation, name, person, method, path, access, body, source, done, again, aids }
    }
}

/// An address of this machine that has not asked for anything.
fn next_source() -> String {
    static SERIAL: AtomicUsize = AtomicUsize::new(1);
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    format!("127.9.{}.{}", serial / 200, serial % 200 + 1)
}

impl Attempt {
    /// The request, always the same.
    pub(super) fn request(&self, api: &Api) -> RequestBuilder {
        let mut request = api.from(&self.source).request(self.method.clone(), &self.path);
        if !self.access.is_empty() {
            request = request.bearer_auth(&self.access);
        }
        if self.body.is_null() { request } else { request.json(&self.body) }
    }

    /// That the account is as it should be after the request, which was answered with `again` the
    /// last time, and that its owner gets in.
    pub(super) async fn leads_where_it_should(&self, stage: &Stage, again: &Answer) {
        let (api, person, aids) = (&stage.server.api, &self.person, &self.aids);
        let by_name = ("username", &*self.name);
        let log_in = async |password: &str| api.login("client", by_name, password).await;
        match self.operation {
            Operation::Refresh | Operation::Login => {
                stage.goes_on(&again.field("refresh")).await;
            }
            Operation::ChangePassword => {
                let (refresh, access) = aids.other.as_ref().unwrap();
                stage.is_over(refresh, access).await;
                stage.goes_on(&person.refresh).await;
                log_in(&person.password).await.refused(401, "invalid_credentials");
                log_in(NEW).await.is(200);
            }
            Operation::ConfirmReset => {
                stage.is_over(&person.refresh, &person.access).await;
                log_in(&person.password).await.refused(401, "invalid_credentials");
                log_in(NEW).await.is(200);
            }
            Operation::ConfirmEmail => {
                stage.goes_on(&person.refresh).await;
                let old = api.login("client", ("email", &person.email), &person.password).await;
                old.refused(401, "invalid_credentials");
                api.login("client", ("email", &aids.email), &person.password).await.is(200);
            }
            Operation::ConfirmTotp => {
                let challenge = log_in(&person.password).await;
                challenge.refused(401, "second_factor_required");
                // Whoever was never shown the recovery codes makes others, with the app's next code.
                let next = real_time() + SignedDuration::from_secs(30);
                let body = json!({"code": aids.app.as_ref().unwrap().code(next)});
                let codes = api.post_as(routes::RECOVERY_CODES, &person.access, &body).await;
                let code = &recovery_codes(&codes.is_json(201))[0];
                api.login_with("client", &challenge.field("challenge"), code).await.is(200);
            }
            Operation::LoginByRecoveryCode => {
                let challenge = self.body["challenge"].as_str().unwrap();
                let log_in = async |code: &str| api.login_with("client", challenge, code).await;
                log_in(&aids.codes[0]).await.refused(401, "invalid_code");
                log_in(&aids.codes[1]).await.is(200);
            }
            Operation::Disable => {
                log_in(&person.password).await.refused(403, "account_disabled");
                let request = api.request(Method::PATCH, &aids.user).bearer_auth(&self.access);
                share_e2e::send(request.json(&json!({"active": true}))).await.is(200);
                stage.is_over(&person.refresh, &person.access).await;
                log_in(&person.password).await.is(200);
            }
            Operation::ForceReset => {
                stage.is_over(&person.refresh, &person.access).await;
                log_in(&person.password).await.refused(401, "invalid_credentials");
                let body =
                    json!({"token": stage.reset_token(&person.email).await, "password": NEW});
                api.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
                log_in(NEW).await.is(200);
            }
            Operation::EndSession => {
                stage.is_over(&person.refresh, &person.access).await;
                log_in(&person.password).await.is(200);
            }
        }
    }
}
