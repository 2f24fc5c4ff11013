//! Access tokens: JSON Web Tokens (RFC 7519) signed with HS256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use share_model::{Invalid, Role, UserId};

use crate::random_bytes;

/// An access token's life. Short, because a single one cannot be revoked.
pub const ACCESS_TOKEN_SECONDS: i64 = 15 * 60;

const ISSUER: &str = "secure-file-share";
const AUDIENCE: &str = "secure-file-share-api";

/// What an access token says (design: `iss aud sub role iat exp jti`).
#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    /// For the client's eyes. The server reads the role from the user record.
    role: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Why an access token was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessRefusal {
    /// It is genuine, and its time is over.
    Expired,
    /// It is anything else than a token of ours.
    Invalid,
}

/// The secret keys that sign: the current one, and one that is being phased out.
pub struct SigningKeys {
    current: Key,
    previous: Option<Key>,
}

struct Key {
    id: String,
    secret: Vec<u8>,
}

/// The form in which Secrets Manager holds the keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredKeys {
    current: String,
    previous: Option<String>,
}

impl SigningKeys {
    /// Reads `{"current": "…", "previous": "…"}`, or one bare secret.
    ///
    /// # Errors
    /// When a secret is shorter than the 32 bytes that HS256 asks for (RFC 7518, section 3.2).
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let stored = if text.trim_start().starts_with('{') {
            serde_json::from_str(text)
                .map_err(|_| Invalid::because("must be {\"current\": …, \"previous\": …}"))?
        } else {
            StoredKeys { current: text.to_owned(), previous: None }
        };
        Ok(Self {
            current: Key::new(stored.current)?,
            previous: stored.previous.map(Key::new).transpose()?,
        })
    }

    /// A token for this user, good from `now` on for [`ACCESS_TOKEN_SECONDS`].
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "strings and numbers always serialize, HMAC always signs"
    )]
    pub fn issue(&self, user: UserId, role: Role, now: Timestamp) -> String {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user.to_string(),
            role: role.as_str().to_owned(),
            iat: now.as_second(),
            exp: now.as_second() + ACCESS_TOKEN_SECONDS,
            jti: URL_SAFE_NO_PAD.encode(random_bytes::<16>()),
        };
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(self.current.id.clone());
        encode(&header, &claims, &EncodingKey::from_secret(&self.current.secret))
            .expect("claims can be signed")
    }

    /// Whose token this is.
    ///
    /// # Errors
    /// When it is not a token that [`SigningKeys::issue`] made, or its time is over at `now`.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<UserId, AccessRefusal> {
        let header = decode_header(token).map_err(|_| AccessRefusal::Invalid)?;
        let key = self.all().find(|key| Some(&key.id) == header.kid.as_ref());
        let key = key.ok_or(AccessRefusal::Invalid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // The library would read the clock; here `now` is an argument.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, &DecodingKey::from_secret(&key.secret), &validation)
            .map_err(|_| AccessRefusal::Invalid)?
            .claims;
        if now.as_second() >= claims.exp {
            return Err(AccessRefusal::Expired);
        }
        claims.sub.parse().map_err(|_| AccessRefusal::Invalid)
    }

    /// A MAC over `message`, which names its own purpose, with the current key.
    pub(crate) fn mac(&self, message: &[u8]) -> Vec<u8> {
        self.current.mac(message).finalize().into_bytes().to_vec()
    }

    /// Whether one of the keys made `tag` over `message`. Takes the same time either way.
    pub(crate) fn is_mac(&self, message: &[u8], tag: &[u8]) -> bool {
        self.all().any(|key| key.mac(message).verify_slice(tag).is_ok())
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }
}

impl Key {
    fn new(secret: String) -> Result<Self, Invalid> {
        if secret.len() < 32 {
            return Err(Invalid::because("must hold secrets of at least 32 bytes"));
        }
        let secret = secret.into_bytes();
        let digest = Sha256::digest([b"key id\0", secret.as_slice()].concat());
        let id = URL_SAFE_NO_PAD.encode(digest.iter().take(9).copied().collect::<Vec<u8>>());
        Ok(Self { id, secret })
    }

    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    fn mac(&self, message: &[u8]) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).expect("any key will do");
        mac.update(message);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "fedcba9876543210fedcba9876543210";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn someone() -> UserId {
        UserId::new(at(1_700_000_000), [7; 10])
    }

    #[test]
    fn a_token_is_good_until_just_before_its_end() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let token = keys.issue(someone(), Role::Client, at(1_000));
        assert_eq!(keys.verify(&token, at(1_000)), Ok(someone()));
        assert_eq!(keys.verify(&token, at(1_899)), Ok(someone()));
        assert_eq!(keys.verify(&token, at(1_900)), Err(AccessRefusal::Expired));
        assert_eq!(keys.verify(&token, at(1_901)), Err(AccessRefusal::Expired));
    }

    #[test]
    fn a_previous_key_is_still_accepted_and_a_foreign_one_is_not() {
        let old = SigningKeys::parse(SECRET).unwrap();
        let token = old.issue(someone(), Role::Ops, at(0));
        let rotated = json!({"current": OTHER, "previous": SECRET}).to_string();
        assert_eq!(SigningKeys::parse(&rotated).unwrap().verify(&token, at(1)), Ok(someone()));
        let foreign = SigningKeys::parse(OTHER).unwrap();
        assert_eq!(foreign.verify(&token, at(1)), Err(AccessRefusal::Invalid));
    }

    #[test]
    fn tokens_that_differ_in_one_fact_are_refused() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let good = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": someone().to_string(),
            "role": "ops", "iat": 0, "exp": 100, "jti": "x"});
        let sign = |claims: &serde_json::Value, algorithm, kid: Option<&str>| {
            let mut header = Header::new(algorithm);
            header.kid = kid.map(str::to_owned);
            encode(&header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
        };
        let kid = keys.current.id.clone();
        let with = |name: &str, value: serde_json::Value| {
            let mut claims = good.clone();
            claims[name] = value;
            sign(&claims, Algorithm::HS256, Some(&kid))
        };
        assert_eq!(keys.verify(&sign(&good, Algorithm::HS256, Some(&kid)), at(1)), Ok(someone()));
        for (what, token) in [
            ("audience", with("aud", json!("another"))),
            ("issuer", with("iss", json!("another"))),
            ("subject", with("sub", json!("1"))),
            ("no end", with("exp", json!(null))),
            ("algorithm", sign(&good, Algorithm::HS512, Some(&kid))),
            ("no key id", sign(&good, Algorithm::HS256, None)),
            ("other key id", sign(&good, Algorithm::HS256, Some("other"))),
        ] {
            assert_eq!(keys.verify(&token, at(1)), Err(AccessRefusal::Invalid), "{what}");
        }
    }

    #[test]
    fn a_token_without_a_signature_is_refused() {
        let keys = SigningKeys::parse(SECRET).unwrap();
        let token = keys.issue(someone(), Role::Client, at(0));
        let claims = token.split('.').nth(1).unwrap();
        for algorithm in ["none", "None", "HS256"] {
            let header =
                json!({"alg": algorithm, "typ": "JWT", "kid": keys.current.id}).to_string();
            let unsigned = format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header));
            assert_eq!(keys.verify(&unsigned, at(1)), Err(AccessRefusal::Invalid), "{algorithm}");
        }
    }

    #[test]
    fn short_secrets_are_refused_at_31_bytes_and_taken_at_32() {
        assert!(SigningKeys::parse(&SECRET[..31]).is_err());
        assert!(SigningKeys::parse(SECRET).is_ok());
        assert!(SigningKeys::parse(r#"{"current": "short"}"#).is_err());
        assert!(SigningKeys::parse("{").is_err());
    }
}
