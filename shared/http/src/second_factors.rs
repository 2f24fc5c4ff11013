//! Second factors: what a code proves, and how many wrong ones may be tried.

use jiff::Timestamp;
use share_auth::{RecoveryCode, SeedKeys};
use share_contract::ErrorCode;
use share_model::limits::GUESSES_OF_CODE;
use share_model::{Invalid, Proof, SecondFactor, User};
use share_store::{Limits, Platform, StartError, seed_keys};

use crate::{ApiError, Request, limit, log_failure};

/// In characters, spaces and hyphens included.
const MAX_CODE_LENGTH: usize = 64;

/// Reads the codes of second factors, and counts those that are wrong in the Limits table. At start
/// it reads the secret of the seeds.
pub struct SecondFactors {
    keys: SeedKeys,
    limits: Limits,
}

/// A second factor that was shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// What is left of it.
    pub left: SecondFactor,
    /// Whether it was a recovery code.
    pub by_recovery_code: bool,
}

/// Reads a code as somebody typed it. Whether it is one of the account's is another question.
///
/// # Errors
/// When it has more than 64 characters, with which no code of ours can be typed.
pub fn read_code(text: &str) -> Result<String, Invalid> {
    if text.chars().count() <= MAX_CODE_LENGTH {
        Ok(text.to_owned())
    } else {
        Err(Invalid::because("must have at most 64 characters"))
    }
}

impl SecondFactors {
    /// # Errors
    /// When `LIMITS_TABLE` or the secret of the seeds is missing or wrong.
    pub async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { keys: seed_keys(platform).await?, limits: Limits::connect(platform)? })
    }

    /// What `action` does with this code of `user`, which is counted as wrong before it is looked
    /// at, until it is not. So of many at the same moment no more are tried than the limit lets
    /// through. Only who knows the password comes so far, so no stranger can shut the owner out.
    ///
    /// A recovery code is not counted: it cannot be guessed, and is what the owner has left.
    ///
    /// # Errors
    /// Those of the action; 429 after too many wrong codes, 503.
    pub async fn guess<T>(
        &self,
        user: &User,
        code: &str,
        request: &Request,
        action: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        if RecoveryCode::parse(code).is_ok() {
            return action.await;
        }
        let (account, code) = (user.id.to_string(), ErrorCode::TooManyGuesses);
        let taken = limit(&self.limits, &GUESSES_OF_CODE, &account, code, request).await?;
        let done = action.await;
        let wrong = |error: &ApiError| {
            matches!(error.code(), ErrorCode::InvalidCode | ErrorCode::WrongCode)
        };
        // What was done stays done when the count cannot be taken back.
        if !done.as_ref().is_err_and(wrong)
            && let Err(failure) = self.limits.give_back(taken).await
        {
            log_failure(request.id(), &failure);
        }
        done
    }

    /// The second factor of `user` after this code; `None` when it is wrong or was used before. Its
    /// seed is then under the current key.
    #[must_use]
    pub fn show(&self, user: &User, code: &str, now: Timestamp) -> Option<Shown> {
        let factor = user.confirmed_factor()?;
        let proof = self.keys.proof(factor, user.id, code, now)?;
        let mut left = factor.spent(&proof)?;
        if !self.keys.is_current(&left.seed)
            && let Some(seed) = self.keys.open(&left.seed, user.id)
        {
            left.seed = self.keys.seal(&seed, user.id);
        }
        Some(Shown { left, by_recovery_code: matches!(proof, Proof::Recovery(_)) })
    }
}
