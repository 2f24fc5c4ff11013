//! That nobody learns from the time of an answer who has an account, by a statistical test. It needs
//! a machine that does nothing else, so it is run by `scripts/timing`.

use std::time::Instant;

use fastrand::Rng;
use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::{World, routes};

/// How often each request is sent. In a round each of those that are compared is sent once, in random
/// order, so that what else happens meanwhile meets all of them.
const ROUNDS: usize = 400;
/// How often the two times of each round change places or not, by chance, to learn which difference of
/// the medians chance alone makes.
const SHUFFLES: usize = 10_000;
/// A difference that chance makes less often than once in so many shuffles is real.
const ONCE_IN: usize = 1000;
/// The smallest difference of the medians that matters: so many milliseconds, or this part of the time,
/// whichever is more. Each is less than it saves to leave out a mail, a transaction or a hash.
const MATTERS: f64 = 0.5;
const PART_THAT_MATTERS: f64 = 0.05;

/// The body of a request of this round.
type Body = fn(usize) -> Value;

/// Requests that must take the same time.
struct Comparison {
    what: &'static str,
    path: &'static str,
    /// Of people who have an account, or have signed up, and of people who have not.
    known: Body,
    unknown: Body,
}

const COMPARISONS: [Comparison; 6] = [
    Comparison {
        what: "login by name",
        path: routes::CLIENT_LOGIN,
        known: |_| json!({"username": "client", "password": "a wrong password"}),
        unknown: |round| json!({"username": format!("nobody{round}"), "password": "a wrong password"}),
    },
    Comparison {
        what: "login by address",
        path: routes::CLIENT_LOGIN,
        known: |_| json!({"email": "client@example.com", "password": "a wrong password"}),
        unknown: |round| json!({"email": format!("nobody{round}@example.com"), "password": "a wrong password"}),
    },
    Comparison {
        what: "resend, signed up",
        path: routes::VERIFICATION,
        known: |_| json!({"email": "early@example.org"}),
        unknown: |round| json!({"email": format!("nobody{round}@example.org")}),
    },
    Comparison {
        what: "resend, verified",
        path: routes::VERIFICATION,
        known: |_| json!({"email": "client@example.com"}),
        unknown: |round| json!({"email": format!("nobody{round}@example.com")}),
    },
    Comparison {
        what: "reset",
        path: routes::PASSWORD_RESET,
        known: |_| json!({"email": "client@example.com"}),
        unknown: |round| json!({"email": format!("nobody{round}@example.com")}),
    },
    Comparison {
        what: "sign-up",
        path: routes::SIGNUP,
        known: |round| sign_up(&format!("known{round}"), "client@example.com"),
        unknown: |round| {
            let name = format!("newcomer{round}");
            sign_up(&name, &format!("{name}@example.org"))
        },
    },
];

fn sign_up(name: &str, email: &str) -> Value {
    json!({"username": name, "email": email, "password": "a password to time"})
}

/// How long an answer takes, in milliseconds.
async fn time(world: &World, path: &str, body: &Value) -> f64 {
    // Nobody has asked too often.
    world.store.forget_counts().await;
    let request = world.request(Method::POST, path).json(body);
    let started = Instant::now();
    let answer = request.send().await.unwrap();
    answer.bytes().await.unwrap();
    started.elapsed().as_secs_f64() * 1000.0
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<_> = times.collect();
    times.sort_by(f64::total_cmp);
    f64::midpoint(times[(times.len() - 1) / 2], times[times.len() / 2])
}

/// The median of the first ones less that of the second ones.
fn difference(rounds: &[[f64; 2]]) -> f64 {
    let [known, unknown] = [0, 1].map(|it| median(rounds.iter().map(|round| round[it])));
    known - unknown
}

/// The difference that chance exceeds in one of [`ONCE_IN`] shuffles, in either direction.
fn by_chance(rounds: &[[f64; 2]], random: &mut Rng) -> f64 {
    let mut shuffled = rounds.to_vec();
    let differences = (0..SHUFFLES).map(|_| {
        for round in &mut shuffled {
            if random.bool() {
                round.reverse();
            }
        }
        difference(&shuffled).abs()
    });
    let mut differences: Vec<_> = differences.collect();
    differences.sort_by(f64::total_cmp);
    differences[SHUFFLES - 1 - SHUFFLES / ONCE_IN]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_a_resend_a_reset_and_a_sign_up_take_as_long_for_known_and_unknown_people() {
    let (world, _mails) = World::with_mails().await;
    world.post(routes::SIGNUP, &sign_up("early", "early@example.org")).await.is(201);
    let mut random = Rng::with_seed(1);
    let mut failures = Vec::new();
    println!("{ROUNDS} rounds, medians and differences in ms");
    println!("{:18} {:>8} {:>8} {:>10} {:>9}", "", "known", "unknown", "difference", "by chance");
    for Comparison { what, path, known, unknown } in COMPARISONS {
        let mut rounds = Vec::new();
        // The first ones warm the server up.
        for round in 0..ROUNDS + 20 {
            let bodies = [known(round), unknown(round)];
            let mut times = [0.0; 2];
            let first = random.usize(..2);
            for place in [first, 1 - first] {
                times[place] = time(&world, path, &bodies[place]).await;
            }
            rounds.push(times);
        }
        let rounds = &rounds[20..];
        let [known, unknown] = [0, 1].map(|it| median(rounds.iter().map(|round| round[it])));
        let matters = MATTERS.max(PART_THAT_MATTERS * unknown);
        let (difference, chance) = (difference(rounds), by_chance(rounds, &mut random));
        println!("{what:18} {known:8.2} {unknown:8.2} {difference:10.2} {chance:9.2}");
        if difference.abs() > matters && difference.abs() > chance {
            failures.push(format!("{what}: a difference of {difference:.2} ms"));
        } else if chance > matters {
            failures.push(format!("{what}: too much else happens on this machine"));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
