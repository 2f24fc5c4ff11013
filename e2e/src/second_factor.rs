//! An authenticator app, and accounts that have one.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::answer::{Answer, send};
use crate::api::{Api, local_password};
use crate::routes;
use crate::world::World;

/// An app on somebody's phone.
pub struct App(Totp);

/// A second factor, as its owner has it.
pub struct Factor {
    pub app: App,
    /// The recovery codes that were shown last.
    pub codes: Vec<String>,
}

impl App {
    /// The app into which somebody has typed this secret.
    pub fn new(secret: &str) -> Self {
        let secret = Secret::try_from_base32(secret).unwrap();
        Self(Builder::new().with_secret(secret).build().unwrap())
    }

    /// What it shows at this moment.
    pub fn code(&self, at: Timestamp) -> String {
        self.0.generate(u64::try_from(at.as_second()).unwrap()).to_string()
    }

    /// Its secret in the forms in which bytes can stand in a table or a log.
    pub fn forms_of_the_seed(&self) -> [String; 3] {
        let (base32, seed) = (self.0.secret().to_base32(), self.0.secret().as_bytes());
        [base32, URL_SAFE_NO_PAD.encode(seed), STANDARD.encode(seed)]
    }

    /// What it shows neither at this moment nor shortly before or after.
    pub fn wrong_code(&self, at: Timestamp) -> String {
        let second = u64::try_from(at.as_second()).unwrap();
        let near = [second - 60, second - 30, second, second + 30, second + 60];
        let near = near.map(|it| self.0.generate(it).to_string());
        let mut all = (0..9).map(|number| format!("00000{number}"));
        all.find(|code| !near.contains(code)).unwrap()
    }
}

/// The ten codes of an answer.
pub fn recovery_codes(answer: &Value) -> Vec<String> {
    let codes = answer["recovery_codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

impl Api {
    /// Begins to set up an app, with a password.
    pub async fn create_totp(&self, token: &str, password: &str) -> App {
        let body = json!({"password": password});
        let created = self.post_as(routes::TOTP, token, &body).await.is_json(201);
        App::new(created["secret"].as_str().unwrap())
    }

    pub async fn confirm_totp(&self, token: &str, code: &str) -> Answer {
        self.post_as(routes::CONFIRM_TOTP, token, &json!({"code": code})).await
    }

    pub async fn delete_totp(&self, token: &str, password: &str, code: &str) -> Answer {
        let request = self.request(Method::DELETE, routes::TOTP).bearer_auth(token);
        send(request.json(&json!({"password": password, "code": code}))).await
    }

    /// The challenge that the local account of this role gets for its password.
    pub async fn challenge(&self, role: &str) -> String {
        let password = local_password(role);
        let answer = self.login(role, ("username", role), &password).await;
        answer.refused(401, "second_factor_required");
        answer.field("challenge")
    }

    /// The challenge that the local account of this role gets for its password, where the role
    /// needs a second factor and the account has none.
    pub async fn enrolment(&self, role: &str) -> String {
        let password = local_password(role);
        let answer = self.login(role, ("username", role), &password).await;
        answer.refused(401, "second_factor_enrolment_required");
        answer.field("challenge")
    }

    /// Begins to set up an app, with an enrolment challenge.
    pub async fn begin_enrolment(&self, challenge: &str) -> App {
        let request = self.request(Method::POST, routes::TOTP).bearer_auth(challenge);
        App::new(send(request).await.is_json(201)["secret"].as_str().unwrap())
    }

    /// Logs in with a code, at the route for this role.
    pub async fn login_with(&self, role: &str, challenge: &str, code: &str) -> Answer {
        let body = json!({"challenge": challenge, "code": code});
        self.post(routes::login(role), &body).await
    }
}

impl World {
    /// Sets up a second factor, half a minute ago, so that what the app shows now is new.
    pub async fn enrol(&self, token: &str, password: &str) -> Factor {
        let app = self.create_totp(token, password).await;
        let confirmed = self.confirm_totp(token, &app.code(self.now())).await.is_json(200);
        self.pass(30);
        Factor { app, codes: recovery_codes(&confirmed) }
    }

    /// Sets up a second factor as a role that needs one; gives the session's access token.
    pub async fn enrol_by_challenge(&self, role: &str) -> (String, App) {
        let challenge = self.enrolment(role).await;
        let app = self.begin_enrolment(&challenge).await;
        let confirmed = self.confirm_totp(&challenge, &app.code(self.now())).await.is_json(200);
        recovery_codes(&confirmed);
        (confirmed["session"]["access"].as_str().unwrap().to_owned(), app)
    }
}
