//! Passwords: what is accepted, and how they are hashed.

use std::sync::OnceLock;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use share_model::{EmailAddress, Invalid, Username};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// OWASP Password Storage Cheat Sheet's first choice for argon2id: 19 MiB, two passes, one lane.
/// About 16 ms on one core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// A hash of the same cost as any other, which is no password's.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Passwords hashed at the same time. A Lambda serves one request at a time; the local server
/// must not let a burst of logins take 19 MiB each without bound.
static HASHING: Semaphore = Semaphore::const_new(4);

/// Passwords that attackers try first; sorted, in lower case.
static COMMON: &str = include_str!("../data/common-passwords.txt");

/// A password on its way to be hashed. It cannot be printed, and is at most 256 characters, so
/// that no request can make hashing slow.
pub struct Password(String);

impl Password {
    /// A password that somebody wants to have: 8 to 256 characters of any kind
    /// (NIST SP 800-63B, section 3.1.1), not a common one, not the user's own name or address.
    ///
    /// # Errors
    /// When a rule is broken.
    pub fn choose(text: &str, username: &Username, email: &EmailAddress) -> Result<Self, Invalid> {
        let password = Self::present(text)?;
        if text.chars().count() < 8 {
            return Err(Invalid::because("must be at least 8 characters"));
        }
        let lower = text.to_lowercase();
        let own = [&username.canonical(), email.as_str(), email.local_part()];
        if own.contains(&lower.as_str()) {
            return Err(Invalid::because("must not be the username or the e-mail address"));
        }
        if common_passwords().binary_search(&lower.as_str()).is_ok() {
            return Err(Invalid::because("is among the most common passwords; choose another"));
        }
        Ok(password)
    }

    /// A password that somebody presents to log in.
    ///
    /// # Errors
    /// When it is longer than any password can be.
    pub fn present(text: &str) -> Result<Self, Invalid> {
        // The first test is cheap however long the text is.
        if text.len() > 4 * 256 || text.chars().count() > 256 {
            return Err(Invalid::because("must be at most 256 characters"));
        }
        Ok(Self(text.to_owned()))
    }

    /// The argon2id hash with a new salt, as a PHC string. Runs off the async threads.
    pub async fn hash(self) -> String {
        off_the_async_threads(move || hash_now(&self.0)).await
    }
}

fn common_passwords() -> &'static [&'static str] {
    static LIST: OnceLock<Vec<&'static str>> = OnceLock::new();
    LIST.get_or_init(|| COMMON.lines().collect())
}

/// Whether `password` belongs to `stored`, a PHC string.
///
/// With nothing stored, a dummy hash is verified, so that an unknown user takes as long as a
/// known one.
pub async fn matches(stored: Option<&str>, password: Password) -> bool {
    let stored = stored.map(str::to_owned);
    off_the_async_threads(move || {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| NOBODYS.to_owned());
        let verified = PasswordHash::new(&text)
            .is_ok_and(|hash| hasher().verify_password(password.0.as_bytes(), &hash).is_ok());
        verified && known
    })
    .await
}

#[expect(clippy::expect_used, reason = "constant parameters and a short password cannot fail")]
fn hash_now(password: &str) -> String {
    let hash: PasswordHash = hasher().hash_password(password.as_bytes()).expect("argon2 hashes");
    hash.to_string()
}

#[expect(clippy::expect_used, reason = "constant parameters within argon2's bounds")]
fn hasher() -> Argon2<'static> {
    let parameters = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("valid parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters)
}

#[expect(clippy::expect_used, reason = "the semaphore is never closed, and a panic must go on")]
async fn off_the_async_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let permit = HASHING.acquire().await.expect("the semaphore is open");
    // The permit goes along: the work does not stop when nobody waits for it any more.
    let work = move || {
        let result = work();
        drop(permit);
        result
    };
    spawn_blocking(work).await.expect("hashing does not panic")
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex, mpsc};

    use tokio::sync::oneshot;

    use super::*;

    fn choose(text: &str) -> Result<Password, Invalid> {
        let name = Username::parse("Marianne").unwrap();
        let email = EmailAddress::parse("marianne.sommer@example.com").unwrap();
        Password::choose(text, &name, &email)
    }

    #[test]
    fn length_is_checked_in_characters_at_one_below_at_and_one_above() {
        assert!(choose("sevén_7").is_err());
        assert!(choose("eight_é8").is_ok());
        assert!(choose(&"é".repeat(256)).is_ok());
        assert!(choose(&"😀".repeat(256)).is_ok(), "1,024 bytes");
        assert!(choose(&"é".repeat(257)).is_err());
    }

    #[test]
    fn common_passwords_and_ones_own_name_are_refused_in_any_case() {
        for text in [
            "password1",
            "PassWord1",
            "12345678",
            "MARIANNE",
            "marianne.sommer@example.com",
            "Marianne.Sommer",
        ] {
            assert!(choose(text).is_err(), "{text} was accepted");
        }
        assert!(choose("correct horse battery staple").is_ok());
    }

    #[test]
    fn the_list_of_common_passwords_is_long_and_sorted() {
        let list = common_passwords();
        assert!(list.len() >= 3_000);
        assert!(list.is_sorted(), "a binary search needs a sorted list");
    }

    #[tokio::test]
    async fn only_the_right_password_matches_and_nobody_matches_the_dummy() {
        let hash = choose("a long enough one").unwrap().hash().await;
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(matches(Some(&hash), Password::present("a long enough one").unwrap()).await);
        assert!(!matches(Some(&hash), Password::present("another one").unwrap()).await);
        assert!(!matches(None, Password::present("nobody's").unwrap()).await);
    }

    #[tokio::test]
    async fn a_hash_keeps_its_permit_when_nobody_waits_for_it_any_more() {
        let (release, released) = mpsc::channel::<()>();
        let released = Arc::new(Mutex::new(released));
        for _ in 0..4 {
            let (started, has_started) = oneshot::channel();
            let released = Arc::clone(&released);
            let work = move || {
                started.send(()).unwrap();
                // Fails when the sender is gone, which is what it waits for.
                let _ = released.lock().unwrap().recv();
            };
            tokio::select! {
                () = off_the_async_threads(work) => panic!("it was not released"),
                begun = has_started => begun.unwrap(),
            }
        }
        assert!(HASHING.try_acquire().is_err(), "four are running");
        drop(release);
        off_the_async_threads(|| ()).await;
    }
}
