//! Answers of DynamoDB that are lost, and a server that is killed (`kill -9`), in the midst of what
//! changes an account or a session: at each request to DynamoDB that writes, so between every two
//! writes.

use std::collections::BTreeMap;

use share_e2e::answer::try_send;
use share_e2e::store::Snapshot;
use share_e2e::{Answer, send};

use self::operations::{Attempt, Operation};
use self::stage::Stage;

mod operations;
mod stage;

/// How many records came and went, by table: `+ SessionsTable` and `- SessionsTable`. Without
/// counters, which may count one too many.
type Change = BTreeMap<String, usize>;

fn change(before: &Snapshot, after: Snapshot) -> Change {
    let mut change = Change::new();
    for line in after.without_counters().differences(before) {
        let place = line.split(':').next().unwrap();
        *change.entry(place.to_owned()).or_default() += 1;
    }
    change
}

/// What happens to one operation when something breaks down.
struct Trial<'a> {
    stage: &'a mut Stage,
    operation: Operation,
    /// What an undisturbed request changes.
    whole: Change,
}

impl<'a> Trial<'a> {
    async fn begin(stage: &'a mut Stage, operation: Operation) -> Self {
        let mut trial = Self { stage, operation, whole: Change::new() };
        let (attempt, before) = trial.prepare("first").await;
        let first = send(attempt.request(&trial.stage.server.api)).await;
        first.is(attempt.done);
        trial.whole = change(&before, trial.stage.engines.stored().await);
        assert!(!trial.whole.is_empty(), "{operation:?} writes something");
        trial
    }

    /// Somebody new, and what is stored before their request.
    async fn prepare(&self, name: &str) -> (Attempt, Snapshot) {
        let name = format!("{:?}-{name}", self.operation).to_lowercase();
        let attempt = Box::pin(self.operation.prepare(self.stage, &name)).await;
        (attempt, self.stage.engines.stored().await.without_counters())
    }

    /// That after a fault a request was carried out whole or not at all, and that the same request
    /// once more leads to where it leads without a fault. `known` is the answer, if there was one.
    async fn settles(&self, attempt: &Attempt, before: &Snapshot, known: Option<&Answer>) {
        let fault = format!("{:?} by {}", self.operation, attempt.name);
        let change = change(before, self.stage.engines.stored().await);
        let carried_out = !change.is_empty();
        assert!(
            !carried_out || change == self.whole || self.operation.may_stop_at(&change),
            "{fault}: {change:?} of {:?}",
            self.whole
        );
        if known.is_some_and(|answer| answer.status == attempt.done) {
            assert_eq!(change, self.whole, "{fault}");
        }
        let api = &self.stage.server.api;
        let again = send(attempt.request(api)).await;
        let expected = attempt.again[usize::from(carried_out)];
        assert_eq!((again.status.as_u16(), &*again.code()), expected, "{fault}: {again:?}");
        Box::pin(attempt.leads_where_it_should(self.stage, &again)).await;
    }

    /// Kills the server at each of its writes in turn; gives how many there are.
    async fn kill_at_each_write(&mut self) -> usize {
        for number in 1.. {
            let (attempt, before) = self.prepare(&format!("killed{number}")).await;
            self.stage.proxy.halt_at(number);
            let answer = tokio::select! {
                answer = try_send(attempt.request(&self.stage.server.api)) => answer.ok(),
                () = self.stage.proxy.halted() => None,
            };
            if !self.stage.proxy.has_halted() {
                self.stage.proxy.halt_at(0);
                answer.unwrap().is(attempt.done);
                return number - 1;
            }
            self.stage.kill();
            self.settles(&attempt, &before, None).await;
        }
        0
    }

    /// Loses `lost` answers in a row, from the first one on, from the second one on, and so on; gives
    /// how many writes there are.
    async fn lose_at_each_write(&self, lost: usize) -> usize {
        for number in 0.. {
            let (attempt, before) = self.prepare(&format!("lost{lost}at{number}")).await;
            self.stage.proxy.lose_after(number, lost);
            let answer = send(attempt.request(&self.stage.server.api)).await;
            let left = self.stage.proxy.left();
            self.stage.proxy.lose(0);
            if left == lost {
                answer.is(attempt.done);
                return number;
            }
            if lost < 3 || answer.status != 503 {
                answer.is(attempt.done);
            } else {
                answer.refused(503, "dependency_unavailable");
            }
            self.settles(&attempt, &before, Some(&answer)).await;
        }
        0
    }
}

/// Some of the operations, each of which writes so often.
type Part = [(Operation, usize)];

/// Operations share a server, so that few are started, and several wait at the same time.
const PARTS: [&Part; 4] = [
    &[(Operation::Login, 7), (Operation::ForceReset, 2)],
    &[(Operation::ChangePassword, 3), (Operation::EndSession, 1)],
    &[(Operation::Refresh, 1), (Operation::ConfirmReset, 1), (Operation::ConfirmEmail, 7)],
    &[(Operation::ConfirmTotp, 1), (Operation::LoginByRecoveryCode, 1), (Operation::Disable, 1)],
];

/// Runs `trials` of each part; all parts at the same time, each over a store of its own.
async fn of_each_part<F: Future<Output = ()> + Send + 'static>(trials: fn(&'static Part) -> F) {
    for part in PARTS.map(|part| tokio::spawn(trials(part))) {
        part.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_at_any_write_has_changed_an_account_whole_or_not_and_its_owner_gets_in() {
    of_each_part(|part| async move {
        let mut stage = Stage::start().await;
        for (operation, writes) in part {
            let mut trial = Trial::begin(&mut stage, *operation).await;
            assert_eq!(trial.kill_at_each_write().await, *writes, "{operation:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_any_write_neither_loses_nor_doubles_a_change_of_an_account() {
    of_each_part(|part| async move {
        let mut stage = Stage::start().await;
        for (operation, writes) in part {
            let trial = Trial::begin(&mut stage, *operation).await;
            // The SDK asks three times. With as many answers lost, the service does not know.
            for lost in [1, 3] {
                assert_eq!(trial.lose_at_each_write(lost).await, *writes, "{operation:?}");
            }
        }
    })
    .await;
}
