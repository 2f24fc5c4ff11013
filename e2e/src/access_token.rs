//! Access tokens: their claims, and forgeries of them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// The secret that signs access tokens in tests.
pub const JWT_SECRET: &str = "a-secret-that-only-the-tests-know-and-use";

/// A genuine access token, taken apart so that one fact of it can be changed.
#[derive(Clone)]
pub struct AccessToken {
    header: Value,
    claims: Value,
}

impl AccessToken {
    pub fn read(token: &str) -> Self {
        let mut parts = token.split('.').map(|part| {
            let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
            serde_json::from_slice(&bytes).unwrap_or_default()
        });
        Self { header: parts.next().unwrap(), claims: parts.next().unwrap() }
    }

    /// The user's id.
    pub fn user(&self) -> String {
        self.claims["sub"].as_str().unwrap().to_owned()
    }

    /// The id of its session.
    pub fn session(&self) -> String {
        self.claims["sid"].as_str().unwrap().to_owned()
    }

    pub fn role(&self) -> &str {
        self.claims["role"].as_str().unwrap()
    }

    /// The same token with another role, signed as the server signs.
    pub fn with_role(self, role: &str) -> String {
        self.claim("role", &json!(role)).seal()
    }

    fn header(mut self, name: &str, value: &Value) -> Self {
        self.header[name] = value.clone();
        self
    }

    fn claim(mut self, name: &str, value: &Value) -> Self {
        self.claims[name] = value.clone();
        self
    }

    fn without(mut self, name: &str) -> Self {
        for part in [&mut self.header, &mut self.claims] {
            part.as_object_mut().unwrap().remove(name);
        }
        self
    }

    /// Header and claims, as they are signed.
    fn message(&self) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }

    pub fn sign(&self, secret: &str, algorithm: Algorithm) -> String {
        let (message, key) = (self.message(), EncodingKey::from_secret(secret.as_bytes()));
        let signature = crypto::sign(message.as_bytes(), &key, algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// Signed with a key that the server does not know.
    pub fn sign_with_foreign_key(&self) -> String {
        self.sign(&"x".repeat(40), Algorithm::HS256)
    }

    /// Signed as the server signs.
    pub fn seal(&self) -> String {
        self.sign(JWT_SECRET, Algorithm::HS256)
    }
}

/// Tokens that differ from the genuine one in one fact, each of which must make them worthless.
pub fn forgeries(genuine: &str) -> Vec<(&'static str, String)> {
    let token = AccessToken::read(genuine);
    let other = |name: &str, value: Value| token.clone().claim(name, &value).seal();
    let named = |algorithm: &str| token.clone().header("alg", &json!(algorithm));
    let signature = genuine.rsplit('.').next().unwrap();
    let typed = |kind: &str| token.clone().header("typ", &json!(kind)).seal();
    let critical = |names: Value| token.clone().header("crit", &names).seal();
    let later = token.clone().claim("exp", &json!(4_000_000_000_i64)).message();
    let unknown_user = "01890a5d-ac96-774b-bcce-b302099a8057";
    vec![
        ("a foreign key", token.sign_with_foreign_key()),
        ("no key", token.sign("", Algorithm::HS256)),
        ("alg none, unsigned", format!("{}.", named("none").message())),
        ("alg None, unsigned", format!("{}.", named("None").message())),
        ("alg none, signed", named("none").seal()),
        ("alg HS256, unsigned", format!("{}.", token.message())),
        ("HS512 with the right key", named("HS512").sign(JWT_SECRET, Algorithm::HS512)),
        ("HS384 with the right key", named("HS384").sign(JWT_SECRET, Algorithm::HS384)),
        ("HS512 that says HS256", token.sign(JWT_SECRET, Algorithm::HS512)),
        ("RS256 that is HS256", named("RS256").seal()),
        ("the type of any JWT", typed("JWT")),
        ("the type of a certificate", typed("delivery-certificate+jwt")),
        ("no type", token.clone().without("typ").seal()),
        ("a critical extension", critical(json!(["exp"]))),
        ("no critical extension", critical(json!([]))),
        ("issued years from now", other("iat", json!(4_000_000_000_i64))),
        ("good in years", other("nbf", json!(4_000_000_000_i64))),
        ("a beginning that is no number", other("nbf", json!("today"))),
        ("no algorithm", token.clone().without("alg").seal()),
        ("no key id", token.clone().without("kid").seal()),
        ("another key id", token.clone().header("kid", &json!("another")).seal()),
        ("a key id that is a path", token.clone().header("kid", &json!("../../dev/null")).seal()),
        ("another audience", other("aud", json!("another-api"))),
        ("no audience", token.clone().without("aud").seal()),
        ("another issuer", other("iss", json!("another-service"))),
        ("no issuer", token.clone().without("iss").seal()),
        ("no end", token.clone().without("exp").seal()),
        ("an end that is no number", other("exp", json!("tomorrow"))),
        ("no subject", token.clone().without("sub").seal()),
        ("a name as subject", other("sub", json!("client"))),
        ("a user that does not exist", other("sub", json!(unknown_user))),
        ("a later end under the old signature", format!("{later}.{signature}")),
        ("no signature", genuine.trim_end_matches(signature).trim_end_matches('.').to_owned()),
        ("a letter less", genuine[..genuine.len() - 1].to_owned()),
        ("a letter more", format!("{genuine}A")),
        ("a fourth part", format!("{genuine}.{signature}")),
    ]
}
