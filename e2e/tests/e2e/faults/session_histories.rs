//! Random histories of one session each, compared with a small model of what is promised of it.
//!
//! Two have its refresh tokens, of whom one may be a thief. They present the newest token that they
//! have, an older one or an invented one, one after the other or at the same time; the owner ends the
//! session; and time passes. Each must be told what the model says, in one order or the other when two
//! ask at once, and access tokens end with the session.
//!
//! A failure prints its seed; `ACCOUNT_HISTORY_SEED=<seed> cargo test -p share-e2e session_histories`
//! runs that history fifty times. `ACCOUNT_HISTORIES=<count>` runs so many different ones.

use fastrand::Rng;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::store::new_secret;
use share_e2e::{Answer, World, routes, send};

use self::model::{Session, Told, explain};

mod model;

/// How many histories run when nothing else is asked for.
const HISTORIES: u64 = 100;
/// Servers over which they run at the same time.
const WORLDS: u64 = 4;
/// By how many seconds the clock moves. Sums of a few of them are near no bound.
const MOVES: [i64; 4] = [10, 31, 6 * 24 * 60 * 60, 15 * 24 * 60 * 60];
/// For how long an access token lives, in milliseconds.
const ACCESS: i64 = 15 * 60 * 1000;

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// These of the two present a token.
    Refresh([Option<Presented>; 2]),
    /// One learns all tokens of the other.
    Steal,
    End,
    Pass(i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    Newest,
    Older,
    Invented,
}

fn presented(random: &mut Rng) -> Presented {
    match random.u32(..8) {
        0 => Presented::Invented,
        1 => Presented::Older,
        _ => Presented::Newest,
    }
}

fn step(random: &mut Rng) -> Step {
    match random.u32(..20) {
        0..=7 => {
            let mut who = [None, None];
            who[random.usize(..2)] = Some(presented(random));
            Step::Refresh(who)
        }
        8..=11 => Step::Refresh([Some(presented(random)), Some(presented(random))]),
        12 | 13 => Step::Steal,
        14 => Step::End,
        // Days seldom, or most histories would end with them.
        15..=18 => Step::Pass(MOVES[random.usize(..2)]),
        _ => Step::Pass(MOVES[random.usize(2..MOVES.len())]),
    }
}

/// The two who have tokens of the session.
struct Holders {
    /// The refresh tokens of each, the newest one last.
    tokens: [Vec<String>; 2],
    /// The newest access token, and when it was given.
    access: (String, i64),
}

impl Holders {
    fn token(&self, holder: usize, presented: Presented, random: &mut Rng) -> String {
        let own = &self.tokens[holder];
        match presented {
            Presented::Newest => own[own.len() - 1].clone(),
            Presented::Older => own[random.usize(..own.len())].clone(),
            Presented::Invented => new_secret(),
        }
    }
}

fn told(answer: &Answer) -> Told {
    if answer.status == 200 { Told::Next(answer.field("refresh")) } else { Told::No(answer.code()) }
}

async fn log_in(world: &World) -> Answer {
    world.login("client", ("username", "client"), "local-client-password").await
}

/// Ends the session from another one, which ends itself.
async fn end(world: &World, session: &str) -> u16 {
    let access = log_in(world).await.field("access");
    let delete = async |path: &str| {
        send(world.request(Method::DELETE, &routes::session(path)).bearer_auth(&access)).await
    };
    let ended = delete(session).await;
    delete("current").await.is(204);
    ended.status.as_u16()
}

/// Runs the history of this seed; what is wrong with it, if anything is.
async fn run(world: &World, seed: u64) -> Result<(), String> {
    let mut random = Rng::with_seed(seed);
    // An account remembers for a while which of its sessions were ended.
    world.pass(60 * 60);
    let begun = log_in(world).await;
    let now = || world.now().as_millisecond();
    let id = AccessToken::read(&begun.field("access")).session();
    let first = begun.field("refresh");
    let mut possible = vec![Session::new(first.clone(), now())];
    let mut holders = Holders {
        tokens: [vec![first.clone()], vec![first]],
        access: (begun.field("access"), now()),
    };
    for number in 0..random.usize(4..20) {
        let step = step(&mut random);
        let wrong = |what: &str| Err(format!("step {number}, {step:?}: {what}"));
        match step {
            Step::Refresh(who) => {
                let who = who.into_iter().enumerate();
                let asked: Vec<_> = who
                    .filter_map(|(holder, it)| Some((holder, it?)))
                    .map(|(holder, it)| (holder, holders.token(holder, it, &mut random)))
                    .collect();
                let answers: Vec<_> = join_all(asked.iter().map(async |(_, token)| {
                    world.post(routes::REFRESH, &json!({"refresh": token})).await
                }))
                .await;
                let mut all = Vec::new();
                for ((holder, token), answer) in asked.into_iter().zip(answers) {
                    let told = told(&answer);
                    if let Told::Next(next) = &told {
                        holders.tokens[holder].push(next.clone());
                        holders.access = (answer.field("access"), now());
                    }
                    all.push((token, told));
                }
                let after = explain(&possible, &all, now());
                if after.is_empty() {
                    return wrong(&format!("{all:?} after {possible:?}"));
                }
                possible = after;
            }
            Step::Steal => {
                let thief = random.usize(..2);
                let stolen = holders.tokens[1 - thief].clone();
                holders.tokens[thief].extend(stolen);
            }
            Step::End => {
                let status = end(world, &id).await;
                // Of one that is over it is remembered for a while only that it was there.
                if status != 204 && !(status == 404 && possible.iter().all(|it| it.over)) {
                    return wrong(&format!("{status}"));
                }
                for session in &mut possible {
                    session.over = true;
                }
            }
            Step::Pass(seconds) => world.pass(seconds),
        }
        let (access, given) = &holders.access;
        let answer = world.get(routes::ACCOUNT, access).await;
        let expected = |over: bool| match over {
            _ if now() - given >= ACCESS => "token_expired",
            true => "session_revoked",
            false => "",
        };
        possible.retain(|session| answer.code() == expected(session.over));
        if possible.is_empty() {
            return wrong(&format!("its access token: {answer:?}"));
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the two settings of this test")]
fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// The seeds of the histories that run: `count` different ones when nothing else is asked for.
pub(super) fn seeds(count: u64) -> Vec<u64> {
    match setting("ACCOUNT_HISTORY_SEED") {
        Some(seed) => vec![seed; 50],
        None => (0..setting("ACCOUNT_HISTORIES").unwrap_or(count)).collect(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_history_the_holders_of_a_session_are_told_what_the_model_says() {
    let seeds = seeds(HISTORIES);
    let worlds = (0..WORLDS).map(async |place| {
        let world = World::start().await;
        let mut failures = Vec::new();
        for (number, seed) in (0..).zip(&seeds) {
            if number % WORLDS == place
                && let Err(wrong) = run(&world, *seed).await
            {
                failures.push(format!("ACCOUNT_HISTORY_SEED={seed}: {wrong}"));
            }
        }
        failures
    });
    let failures = join_all(worlds).await.concat();
    assert!(failures.is_empty(), "{} failures: {}", failures.len(), failures[..1].join("\n"));
}
