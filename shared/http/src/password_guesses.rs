//! Limits how many wrong passwords may be tried.

use futures_util::future::try_join_all;
use share_auth::{Password, matches};
use share_contract::ErrorCode;
use share_model::limits::{
    GUESSES_FROM_DEVICE, GUESSES_FROM_SOURCE, GUESSES_IN_SESSION, GUESSES_OF_NAME, Limit,
    guesses_from_source,
};
use share_model::{SessionId, User};
use share_store::{Limits, Platform, StartError, StoreError, Taken};

use crate::{ApiError, Request, limit};

/// Counts the passwords that are wrong, in the Limits table: for each name from each source, for each
/// name from all sources, and for each source; or else for each device that has logged in before, or for
/// each session. Names that no account has count as others do.
pub struct PasswordGuesses {
    limits: Limits,
}

/// A password that is about to be compared, and is counted as wrong until it is not.
#[must_use]
pub struct PasswordGuess(Vec<Taken>);

impl PasswordGuesses {
    /// # Errors
    /// When `LIMITS_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { limits: Limits::connect(platform)? })
    }

    /// Counts a password for `name`, in the form that is unique, before it is compared: so of many at
    /// the same moment no more are compared than the limits let through.
    ///
    /// # Errors
    /// 429 after too many wrong ones, 503.
    pub async fn begin(&self, name: &str, request: &Request) -> Result<PasswordGuess, ApiError> {
        let mut guess = PasswordGuess(Vec::new());
        if let Err(error) = self.count(name, request, &mut guess).await {
            // What is not compared is no guess.
            self.right(guess).await?;
            return Err(error);
        }
        Ok(guess)
    }

    /// The same for a browser that has logged in to the account before, with this session: it is
    /// counted on its own, so that nothing that others do keeps it out.
    ///
    /// # Errors
    /// 429 after too many wrong ones, 503.
    pub async fn begin_on_device(
        &self,
        session: SessionId,
        request: &Request,
    ) -> Result<PasswordGuess, ApiError> {
        self.begin_by(&GUESSES_FROM_DEVICE, session, request).await
    }

    /// That this is the password of `user`, who is logged in with this session and shows it once more.
    /// It is counted for the session alone, so that nothing that others do keeps its owner from it.
    ///
    /// # Errors
    /// 403 when it is another one, 429 after too many wrong ones, 503.
    pub async fn confirm_in_session(
        &self,
        user: &User,
        session: SessionId,
        password: Password,
        request: &Request,
    ) -> Result<(), ApiError> {
        let guess = self.begin_by(&GUESSES_IN_SESSION, session, request).await?;
        self.compare(user, password, guess).await
    }

    /// That this is the password of `user`, from somebody who is not logged in, and has a mailed link.
    ///
    /// # Errors
    /// 403 when it is another one, 429 after too many wrong ones, 503.
    pub async fn confirm(
        &self,
        user: &User,
        password: Password,
        request: &Request,
    ) -> Result<(), ApiError> {
        let guess = self.begin(&user.username.canonical(), request).await?;
        self.compare(user, password, guess).await
    }

    async fn begin_by(
        &self,
        of: &Limit,
        session: SessionId,
        request: &Request,
    ) -> Result<PasswordGuess, ApiError> {
        if request.source().is_none() {
            return Ok(PasswordGuess(Vec::new()));
        }
        let (session, code) = (session.to_string(), ErrorCode::TooManyGuesses);
        let taken = limit(&self.limits, of, &session, code, request).await?;
        Ok(PasswordGuess(vec![taken]))
    }

    async fn compare(
        &self,
        user: &User,
        password: Password,
        guess: PasswordGuess,
    ) -> Result<(), ApiError> {
        if !matches(user.password_hash.as_deref(), password).await {
            return Err(ApiError::from(ErrorCode::WrongPassword).of_user(user.id));
        }
        Ok(self.right(guess).await?)
    }

    async fn count(
        &self,
        name: &str,
        request: &Request,
        guess: &mut PasswordGuess,
    ) -> Result<(), ApiError> {
        let Some(source) = request.source() else { return Ok(()) };
        let source = source.as_str();
        let take = async |of: &Limit, whom: &str| {
            limit(&self.limits, of, whom, ErrorCode::TooManyGuesses, request).await
        };
        guess.0.push(take(&GUESSES_FROM_SOURCE, source).await?);
        let of_name = take(&GUESSES_OF_NAME, name).await?;
        let of_both = guesses_from_source(of_name.count());
        guess.0.push(of_name);
        // Neither has a space.
        guess.0.push(take(of_both, &format!("{source} {name}")).await?);
        Ok(())
    }

    /// Takes back that the password was wrong.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn right(&self, guess: PasswordGuess) -> Result<(), StoreError> {
        try_join_all(guess.0.into_iter().map(|taken| self.limits.give_back(taken))).await?;
        Ok(())
    }
}
