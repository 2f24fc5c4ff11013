//! What [docs/api.md](../../../../../docs/api.md) says of a session, told once more, without the code
//! of the service.

const DAY: i64 = 24 * 60 * 60 * 1000;
/// For how long a session goes on, and for how long without being continued, in milliseconds.
const LIFE: i64 = 14 * DAY;
const IDLE: i64 = 7 * DAY;
/// For how long a used token gives its successor again.
const GRACE: i64 = 30 * 1000;

/// An answer to a refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    /// The token that follows.
    Next(String),
    /// The code of a refusal.
    No(String),
}

/// One session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// Its refresh tokens, the first one first.
    tokens: Vec<String>,
    /// When it began, and when it was last continued, in milliseconds.
    begun: i64,
    continued: i64,
    pub(super) over: bool,
}

impl Session {
    pub(super) fn new(token: String, now: i64) -> Self {
        Self { tokens: vec![token], begun: now, continued: now, over: false }
    }

    /// Whether somebody who presents `token` can be told this; afterwards it was so.
    fn explains(&mut self, token: &str, told: &Told, now: i64) -> bool {
        let refused = |code: &str| *told == Told::No(code.to_owned());
        let Some(round) = self.tokens.iter().position(|it| it == token) else {
            return refused("refresh_unknown");
        };
        let (current, age) = (self.tokens.len() - 1, now - self.continued);
        if self.over {
            return refused("session_revoked");
        }
        if age >= IDLE || now - self.begun >= LIFE {
            return refused("session_expired");
        }
        if round == current {
            let Told::Next(next) = told else { return false };
            let is_new = !self.tokens.contains(next);
            self.tokens.push(next.clone());
            self.continued = now;
            return is_new;
        }
        if round + 1 == current && age < GRACE {
            return *told == Told::Next(self.tokens[current].clone());
        }
        self.over = true;
        refused("session_revoked")
    }
}

/// What sessions can have become of those in `before` when these who asked at the same time were told
/// so.
pub(super) fn explain(before: &[Session], asked: &[(String, Told)], now: i64) -> Vec<Session> {
    let forwards: Vec<_> = asked.iter().collect();
    let backwards = asked.iter().rev().collect();
    let mut after = Vec::new();
    for order in [forwards, backwards] {
        for session in before {
            let mut session = session.clone();
            if order.iter().all(|(token, told)| session.explains(token, told, now))
                && !after.contains(&session)
            {
                after.push(session);
            }
        }
    }
    after
}
