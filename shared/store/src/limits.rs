//! The Limits table: counters of what may be done only so often.
//!
//! One conditional `UpdateItem` counts, so that of any number of requests at the same moment exactly
//! as many get through as the limit says. A request whose answer is lost may be counted twice.

use jiff::Timestamp;
use serde::Deserialize;
use share_contract::settings::LIMITS_TABLE;
use share_model::limits::{Counter, Limit, LimitReached};

use crate::table::{Changed, Condition, Key, Table, number};
use crate::{Platform, StartError, StoreError};

/// The Limits table.
#[derive(Clone)]
pub struct Limits {
    table: Table,
}

/// A counter, as the table holds it.
#[derive(Deserialize)]
struct CounterRecord {
    pk: String,
    taken: u32,
    last_at: i64,
}

/// That something was counted.
#[derive(Debug)]
pub struct Taken {
    key: Key,
    before: Option<Counter>,
}

impl Taken {
    /// How often it has been done in this window, this time included.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.before.map_or(0, |before| before.taken).saturating_add(1)
    }
}

impl Limits {
    /// # Errors
    /// When `LIMITS_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &LIMITS_TABLE)? })
    }

    /// Counts what `whom` does at `now`, unless that would be too often. `whom` is an account's id, a
    /// name, an address or a source.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take(
        &self,
        limit: &Limit,
        whom: &str,
        now: Timestamp,
    ) -> Result<Result<Taken, LimitReached>, StoreError> {
        let key = Key::new("pk", limit.key(whom, now));
        let mut alternatives = vec!["attribute_not_exists(taken)".to_owned()];
        let mut values = vec![
            (":one".to_owned(), 1),
            (":now".to_owned(), now.as_second()),
            (":forget".to_owned(), limit.window_end(now)),
        ];
        for (place, allowance) in limit.allowances().into_iter().enumerate() {
            let (above, rested) = (format!(":above{place}"), format!(":rested{place}"));
            // The clock of whoever was here last may be ahead, so that where nobody must wait, when
            // that was is not asked.
            if allowance.rest == 0 {
                alternatives.push(format!("taken < {above}"));
            } else {
                alternatives.push(format!("(taken < {above} AND last_at <= {rested})"));
                values.push((rested, now.as_second() - allowance.rest));
            }
            values.push((above, i64::from(allowance.above)));
        }
        let condition = Condition::new(&alternatives.join(" OR "));
        let condition =
            values.into_iter().fold(condition, |it, (name, value)| it.with(name, number(value)));
        let change = "ADD taken :one SET last_at = :now, forget_at = :forget";
        Ok(match self.table.change_now::<Counter>("count", &key, change, &condition).await? {
            Changed::Yes(before) => Ok(Taken { key, before }),
            Changed::No(counter) => {
                Err(limit
                    .reached(counter.unwrap_or(Counter { taken: limit.most, last_at: 0 }), now))
            }
        })
    }

    /// What has been counted of each of these limits, for whom it stands there, in the window of `now`,
    /// in their order. There are at most 100, and no two are the same.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn counted(
        &self,
        limits: &[(&Limit, &str)],
        now: Timestamp,
    ) -> Result<Vec<Option<Counter>>, StoreError> {
        let keys: Vec<_> = limits.iter().map(|(limit, whom)| limit.key(whom, now)).collect();
        let asked: Vec<_> = keys.iter().map(|key| Key::new("pk", key)).collect();
        let found = self.table.get_all::<CounterRecord>(&asked).await?;
        let counter = |key: &String| {
            let record = found.iter().find(|it| it.pk == *key)?;
            Some(Counter { taken: record.taken, last_at: record.last_at })
        };
        Ok(keys.iter().map(counter).collect())
    }

    /// Does `action` for `whom` and counts it, unless that would be too often: then nothing is done,
    /// and nobody is told. What fails does not count.
    ///
    /// # Errors
    /// Those of the action, and when the table does not answer.
    pub async fn within<T>(
        &self,
        limit: &Limit,
        whom: &str,
        now: Timestamp,
        action: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<Option<T>, StoreError> {
        let Ok(taken) = self.take(limit, whom, now).await? else { return Ok(None) };
        match action.await {
            Ok(done) => Ok(Some(done)),
            Err(failure) => {
                self.give_back(taken).await?;
                Err(failure)
            }
        }
    }

    /// Counts one less: what was counted does not count.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn give_back(&self, taken: Taken) -> Result<(), StoreError> {
        let last_at = taken.before.map_or(0, |before| before.last_at);
        let condition = Condition::new("taken > :zero")
            .with(":zero", number(0))
            .with(":less", number(-1))
            .with(":last", number(last_at));
        let change = "ADD taken :less SET last_at = :last";
        self.table.change_now::<Counter>("count one less", &taken.key, change, &condition).await?;
        Ok(())
    }
}
