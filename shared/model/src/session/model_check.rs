//! The rules of refresh tokens, checked in every history of a small world: two holders of a
//! session's tokens, of whom one may be a thief; requests that read, then write on condition that the
//! session is as it was read; answers that arrive or are lost; a clock; and a logout everywhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use stateright::{Checker, Model, Property};

use super::{Refresh, Session, SessionId};
use crate::UserId;

/// A step of the clock, in seconds: half of the grace.
const TICK: i64 = Session::GRACE_SECONDS / 2;
const IDLE: i64 = 1_000_000;

/// What is decided by the code under test, so that a test can break it.
#[derive(Clone)]
struct Rules {
    refresh: fn(&Session, u32, u32, i64, Timestamp) -> Refresh,
    /// Whether a write is refused when the session is another one than was read.
    conditional: bool,
}

const RULES: Rules = Rules { refresh: Session::refresh, conditional: true };

struct World {
    rules: Rules,
    requests: usize,
    ticks: i64,
    /// Whether the second holder has the first token, too.
    copied: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    /// The current round and when it began; none when the session has ended.
    session: Option<(u32, i64)>,
    generation: u32,
    /// When each round ended, as nobody but this test remembers.
    used: BTreeMap<u32, i64>,
    /// The rounds whose use was answered in vain.
    lost: BTreeSet<u32>,
    /// The rounds whose tokens each holder knows.
    known: [BTreeSet<u32>; 2],
    requests: Vec<Request>,
    now: i64,
    /// The promises that were broken, and what was seen.
    seen: BTreeSet<&'static str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Request {
    holder: usize,
    round: u32,
    step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Step {
    Read,
    Advance { from: u32, generation: u32 },
    End,
    Answer(u32),
    Done,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Action {
    Present { holder: usize, round: u32 },
    Go(usize),
    Lose(usize),
    Tick,
    EndAll,
}

const STALE: &str = "a token that was used more than 30 seconds ago gives nothing";
const OLD: &str = "a token that two others have followed gives nothing";
const OVER: &str = "nothing is given after the end of the session";
const TURNED_AWAY: &str = "a token whose use was just now is not taken for a thief's";
const FORKED: &str = "each round has one token";
const AGAIN: &str = "a lost answer is given again";
const FOUND: &str = "a second holder is found out";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

impl State {
    fn session((round, since): (u32, i64)) -> Session {
        let id = SessionId::new(at(0), [0; 10]);
        let session = Session::new(id, (UserId::new(at(0), [0; 10]), 0), "", "", at(0));
        Session { round, last_used_at: at(since), ..session }
    }

    /// A token of the round after `round` is given, as the session now says.
    fn give(&mut self, round: u32) {
        let live = self.session.is_some() && self.generation == 0;
        let stale =
            self.used.get(&round).is_some_and(|at| *at + Session::GRACE_SECONDS <= self.now);
        let old = self.used.contains_key(&(round + 1));
        self.seen.extend(
            [(!live, OVER), (stale, STALE), (old, OLD)]
                .into_iter()
                .filter_map(|(broken, promise)| broken.then_some(promise)),
        );
    }

    fn read(&mut self, place: usize, rules: &Rules) {
        let round = self.requests[place].round;
        let Some(stored) = self.session else {
            self.requests[place].step = Step::Done;
            return;
        };
        let session = Self::session(stored);
        let verdict = (rules.refresh)(&session, round, self.generation, IDLE, at(self.now));
        self.requests[place].step = match verdict {
            Refresh::Advance => Step::Advance { from: stored.0, generation: self.generation },
            Refresh::Repeat => {
                self.give(round);
                Step::Answer(round + 1)
            }
            Refresh::Replayed => {
                let used = self.used.get(&round);
                let recent = used.is_some_and(|at| self.now < *at + Session::GRACE_SECONDS);
                if recent && !self.used.contains_key(&(round + 1)) {
                    self.seen.insert(TURNED_AWAY);
                }
                Step::End
            }
            Refresh::Ended | Refresh::Expired => Step::Done,
        };
    }

    fn go(&mut self, place: usize, rules: &Rules) {
        let Request { holder, round, step } = self.requests[place].clone();
        match step {
            Step::Read => self.read(place, rules),
            Step::Advance { from, generation } => {
                let same = self.session.is_some_and(|(round, _)| round == from)
                    && self.generation == generation;
                if rules.conditional && !same {
                    self.requests[place].step = Step::Read;
                    return;
                }
                self.give(round);
                if self.used.insert(round, self.now).is_some() {
                    self.seen.insert(FORKED);
                }
                self.session = Some((round + 1, self.now));
                self.requests[place].step = Step::Answer(round + 1);
            }
            Step::End => {
                if self.session.take().is_some() {
                    self.seen.insert(FOUND);
                }
                self.requests[place].step = Step::Done;
            }
            Step::Answer(given) => {
                if self.lost.contains(&round) {
                    self.seen.insert(AGAIN);
                }
                self.known[holder].insert(given);
                self.requests[place].step = Step::Done;
            }
            Step::Done => {}
        }
    }
}

impl Model for World {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let thief = if self.copied { BTreeSet::from([0]) } else { BTreeSet::new() };
        vec![State {
            session: Some((0, 0)),
            generation: 0,
            used: BTreeMap::new(),
            lost: BTreeSet::new(),
            known: [BTreeSet::from([0]), thief],
            requests: Vec::new(),
            now: 0,
            seen: BTreeSet::new(),
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.requests.len() < self.requests {
            for (holder, known) in state.known.iter().enumerate() {
                actions.extend(known.iter().map(|round| Action::Present { holder, round: *round }));
            }
        }
        for (place, request) in state.requests.iter().enumerate() {
            if request.step != Step::Done {
                actions.push(Action::Go(place));
            }
            if matches!(request.step, Step::Answer(_)) {
                actions.push(Action::Lose(place));
            }
        }
        if state.now < self.ticks * TICK {
            actions.push(Action::Tick);
        }
        if state.generation == 0 {
            actions.push(Action::EndAll);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut state = state.clone();
        match action {
            Action::Present { holder, round } => {
                state.requests.push(Request { holder, round, step: Step::Read });
            }
            Action::Go(place) => state.go(place, &self.rules),
            Action::Lose(place) => {
                let request = &mut state.requests[place];
                request.step = Step::Done;
                state.lost.insert(request.round);
            }
            Action::Tick => state.now += TICK,
            Action::EndAll => state.generation = 1,
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(STALE, |_: &Self, state: &State| !state.seen.contains(STALE)),
            Property::always(OLD, |_: &Self, state: &State| !state.seen.contains(OLD)),
            Property::always(OVER, |_: &Self, state: &State| !state.seen.contains(OVER)),
            Property::always(TURNED_AWAY, |_: &Self, state: &State| {
                !state.seen.contains(TURNED_AWAY)
            }),
            Property::always(FORKED, |_: &Self, state: &State| !state.seen.contains(FORKED)),
            Property::sometimes(AGAIN, |_: &Self, state: &State| state.seen.contains(AGAIN)),
            Property::sometimes(FOUND, |_: &Self, state: &State| state.seen.contains(FOUND)),
        ]
    }
}

fn worlds(rules: &Rules) -> [World; 3] {
    let world = |requests, ticks, copied| World { rules: rules.clone(), requests, ticks, copied };
    [world(3, 3, true), world(4, 2, false), world(4, 1, true)]
}

#[test]
fn every_promise_holds_in_every_history_of_two_holders() {
    let mut possible = BTreeSet::new();
    for world in worlds(&RULES) {
        let checker = world.checker().threads(2).spawn_bfs().join();
        for (name, path) in checker.discoveries() {
            assert!([AGAIN, FOUND].contains(&name), "{name}: {:?}", path.into_actions());
            possible.insert(name);
        }
        println!("{} states", checker.unique_state_count());
    }
    assert_eq!(possible, BTreeSet::from([AGAIN, FOUND]));
}

#[test]
fn each_promise_is_broken_by_a_rule_that_is_broken() {
    fn for_ever(
        session: &Session,
        round: u32,
        generation: u32,
        idle: i64,
        _: Timestamp,
    ) -> Refresh {
        session.refresh(round, generation, idle, session.last_used_at)
    }
    fn all_before(
        session: &Session,
        round: u32,
        generation: u32,
        idle: i64,
        now: Timestamp,
    ) -> Refresh {
        let before = round.max(session.round.saturating_sub(1));
        session.refresh(before, generation, idle, now)
    }
    fn none_before(
        session: &Session,
        round: u32,
        generation: u32,
        idle: i64,
        now: Timestamp,
    ) -> Refresh {
        match session.refresh(round, generation, idle, now) {
            Refresh::Repeat => Refresh::Replayed,
            other => other,
        }
    }
    fn of_any_generation(
        session: &Session,
        round: u32,
        _: u32,
        idle: i64,
        now: Timestamp,
    ) -> Refresh {
        session.refresh(round, session.generation, idle, now)
    }
    for (broken, rules) in [
        (STALE, Rules { refresh: for_ever, ..RULES }),
        (OLD, Rules { refresh: all_before, ..RULES }),
        (TURNED_AWAY, Rules { refresh: none_before, ..RULES }),
        (OVER, Rules { refresh: of_any_generation, ..RULES }),
        (FORKED, Rules { conditional: false, ..RULES }),
    ] {
        let found = worlds(&rules).into_iter().any(|world| {
            let checker = world.checker().threads(2).spawn_bfs().join();
            checker.discoveries().contains_key(broken)
        });
        assert!(found, "{broken}");
    }
}
