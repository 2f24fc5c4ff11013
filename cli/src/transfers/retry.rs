//! Trying again, while a line is cut or a service is away.

use std::time::Duration;

use tokio::time::Instant;

use crate::failure::{Failure, Status};
use crate::transfers::progress::Progress;

/// For how long a transfer waits for a service that does not answer, from the last success on.
const PATIENCE: Duration = Duration::from_mins(3);

/// The longest pause between two attempts.
const LONGEST: Duration = Duration::from_secs(10);

/// The attempts of one transfer.
pub(crate) struct Attempts<'a> {
    progress: &'a Progress,
    last_success: Instant,
    failed: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(progress: &'a Progress) -> Self {
        Self { progress, last_success: Instant::now(), failed: 0 }
    }

    /// Something has arrived: the time begins anew.
    pub(crate) fn succeeded(&mut self) {
        *self = Self::new(self.progress);
    }

    /// Waits before the next attempt: as long as the service says, and a pause of our own. These
    /// double, and are random so that the parts of a transfer do not all come back at once.
    ///
    /// # Errors
    /// The failure, when another attempt would not help, enough time has passed, or would have passed
    /// when the service wants to be asked again.
    pub(crate) async fn wait(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.status != Status::Unavailable {
            return Err(failure);
        }
        let asked = failure.retry_after.unwrap_or_default();
        if self.last_success.elapsed() > PATIENCE.saturating_sub(asked) {
            let when = match failure.retry_after {
                Some(asked) => format!("in {} seconds", asked.as_secs()),
                None => "later".to_owned(),
            };
            let advice = format!("What has arrived is kept. Give the same command again {when}.");
            return Err(failure.advise(advice));
        }
        if !asked.is_zero() {
            self.progress.say_waiting(&failure.message, asked);
        }
        let longest =
            LONGEST.min(Duration::from_millis(200) * 2_u32.saturating_pow(self.failed.min(10)));
        self.failed += 1;
        tokio::time::sleep(asked + longest.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
        Ok(())
    }
}

/// Asks until there is an answer, as long as another attempt may help.
///
/// # Errors
/// The last failure.
pub(crate) async fn retried<T>(
    progress: &Progress,
    mut ask: impl AsyncFnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let mut attempts = Attempts::new(progress);
    loop {
        match ask().await {
            Ok(answer) => return Ok(answer),
            Err(failure) => attempts.wait(failure).await?,
        }
    }
}
