//! Several writes that happen together or not at all.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use uuid::Uuid;

use crate::StoreError;

/// One write of a transaction, made by the store whose table it touches.
#[derive(Clone)]
pub struct Write(pub(crate) TransactWriteItem);

impl From<aws_sdk_dynamodb::types::Put> for Write {
    fn from(put: aws_sdk_dynamodb::types::Put) -> Self {
        Self(TransactWriteItem::builder().put(put).build())
    }
}

impl From<aws_sdk_dynamodb::types::Delete> for Write {
    fn from(delete: aws_sdk_dynamodb::types::Delete) -> Self {
        Self(TransactWriteItem::builder().delete(delete).build())
    }
}

impl From<aws_sdk_dynamodb::types::ConditionCheck> for Write {
    fn from(check: aws_sdk_dynamodb::types::ConditionCheck) -> Self {
        Self(TransactWriteItem::builder().condition_check(check).build())
    }
}

impl From<aws_sdk_dynamodb::types::Update> for Write {
    fn from(update: aws_sdk_dynamodb::types::Update) -> Self {
        Self(TransactWriteItem::builder().update(update).build())
    }
}

/// What became of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CommitOutcome {
    /// Every write happened.
    Committed,
    /// No write happened; these are the places of the writes whose conditions did not hold.
    ConditionFailed(Vec<usize>),
}

/// Further attempts at a transaction that others keep colliding with, or that is throttled. With 64
/// rivals for one record the last one needs a handful.
const ATTEMPTS: u32 = 12;

/// Reasons for which DynamoDB cancels a transaction, and which need not hold the next time.
const PASSING: [&str; 3] =
    ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];

/// Carries out `writes` as one transaction.
///
/// All attempts, those of the SDK after a lost answer included, carry the same
/// `ClientRequestToken`. DynamoDB answers a repetition with success and does nothing, for ten
/// minutes, so a lost answer neither undoes a commit nor repeats it.
pub(crate) async fn commit(
    client: &Client,
    operation: &'static str,
    writes: Vec<Write>,
) -> Result<CommitOutcome, StoreError> {
    let token = Uuid::new_v4().to_string();
    let items: Vec<_> = writes.into_iter().map(|write| write.0).collect();
    let mut attempt = 0;
    loop {
        let request = client
            .transact_write_items()
            .client_request_token(&token)
            .set_transact_items(Some(items.clone()));
        let Err(error) = request.send().await else { return Ok(CommitOutcome::Committed) };
        match verdict(&error) {
            Verdict::Refused(places) => return Ok(CommitOutcome::ConditionFailed(places)),
            Verdict::NotNow if attempt < ATTEMPTS => {}
            Verdict::NotNow | Verdict::Failure => {
                return Err(StoreError::during(operation)(error));
            }
        }
        tokio::time::sleep(retry_delay(attempt)).await;
        attempt += 1;
    }
}

/// What a failed `TransactWriteItems` means.
enum Verdict {
    /// Conditions did not hold.
    Refused(Vec<usize>),
    /// Another transaction held one of the records, our own earlier attempt is still running, or
    /// there were too many requests.
    NotNow,
    /// The table could not be asked.
    Failure,
}

fn verdict(error: &SdkError<TransactWriteItemsError>) -> Verdict {
    use TransactWriteItemsError as E;
    match error.as_service_error() {
        Some(E::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons();
            let codes = reasons.iter().map(|reason| reason.code().unwrap_or_default());
            let refused =
                codes.clone().enumerate().filter(|(_, it)| *it == "ConditionalCheckFailed");
            let refused: Vec<_> = refused.map(|(place, _)| place).collect();
            if !refused.is_empty() {
                Verdict::Refused(refused)
            } else if codes.clone().any(|code| PASSING.contains(&code)) {
                Verdict::NotNow
            } else {
                Verdict::Failure
            }
        }
        // The SDK has repeated these already, but fewer times.
        Some(
            E::TransactionInProgressException(_)
            | E::ProvisionedThroughputExceededException(_)
            | E::RequestLimitExceeded(_)
            | E::ThrottlingException(_),
        ) => Verdict::NotNow,
        _ => Verdict::Failure,
    }
}

/// Waits between attempts at something that others keep from being done.
pub(crate) struct Backoff {
    operation: &'static str,
    attempt: u32,
}

/// Attempts at a change of a record that others keep changing: a quarter of a minute of waiting at
/// most, so that a function can still answer that it was in vain. Of 64 that redeem one link 64
/// times over the embedded DynamoDB, the last one needs two seconds.
const BACKOFF_ATTEMPTS: u32 = 60;

impl Backoff {
    pub(crate) fn new(operation: &'static str) -> Self {
        Self { operation, attempt: 0 }
    }

    /// # Errors
    /// After the last attempt.
    pub(crate) async fn wait(&mut self) -> Result<(), StoreError> {
        if self.attempt == BACKOFF_ATTEMPTS {
            return Err(StoreError::because(self.operation, "too many others are at it"));
        }
        tokio::time::sleep(retry_delay(self.attempt)).await;
        self.attempt += 1;
        Ok(())
    }
}

/// 10 ms, doubled for each attempt, at most 320 ms; each caller waits a different part of it.
fn retry_delay(attempt: u32) -> Duration {
    let full = 10 << attempt.min(5);
    let [part, ..] = share_auth::random_bytes::<1>();
    Duration::from_millis(full / 2 + full * u64::from(part) / 512)
}
