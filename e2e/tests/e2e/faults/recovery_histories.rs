//! Random histories of the recovery of one account each, compared with a small model of what is
//! promised of it.
//!
//! Links that set a password, change the address or undo that are mailed, and are used in any order:
//! the newest ones, older ones, and those that were used before; two of them at the same time. In
//! between the password is changed and time passes. Whatever is asked must be done or refused as the
//! model says, in one order or the other when two ask at once; and in the end the owner gets in.
//!
//! `ACCOUNT_HISTORIES` and `ACCOUNT_HISTORY_SEED` do what they do for sessions.

use fastrand::Rng;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use share_e2e::api::password_for;
use share_e2e::mail_server::MailServer;
use share_e2e::{Answer, World, routes, send};

use super::session_histories::seeds;

use self::model::{Account, Ask, explain};

mod model;

/// How many histories run when nothing else is asked for.
const HISTORIES: u64 = 40;
/// Servers over which they run at the same time.
const WORLDS: u64 = 4;
/// How often it is drawn what two are to ask at once, at most.
const DRAWS: u32 = 16;
/// By how many seconds the clock moves. Sums of a few of them are near no bound.
const MOVES: [i64; 4] = [10 * 60, 61 * 60, 25 * 60 * 60, 8 * 24 * 60 * 60];

/// The owner of an account, and what they have been mailed.
struct Owner<'a> {
    world: &'a World,
    mails: &'a MailServer,
    random: Rng,
    access: String,
    /// Every password that the account was to have.
    passwords: Vec<String>,
    /// The tokens of all links of a kind, the newest one last.
    resets: Vec<String>,
    changes: Vec<String>,
    undos: Vec<String>,
    /// What was asked, and whether it was done.
    told: Vec<(Ask, bool)>,
    /// What the account can be.
    possible: Vec<Account>,
    /// How often two were asked at once.
    pairs: u32,
}

/// Mostly the last one.
fn one_of(random: &mut Rng, all: &[String]) -> Option<String> {
    let place = if random.u32(..4) == 0 { random.usize(..all.len().max(1)) } else { all.len() };
    all.get(place.min(all.len().checked_sub(1)?)).cloned()
}

impl Owner<'_> {
    fn now(&self) -> i64 {
        self.world.now().as_millisecond()
    }

    fn address(&self) -> String {
        self.possible[0].address.clone()
    }

    fn new_password(&mut self) -> String {
        let password = format!("a password of number {}", self.passwords.len());
        self.passwords.push(password.clone());
        password
    }

    /// Asks for a link that sets a password.
    async fn request_reset(&mut self) {
        self.world.store.forget_counts().await;
        let email = self.address();
        let asked = self.world.post(routes::PASSWORD_RESET, &json!({"email": email})).await;
        asked.is(202);
        self.has_reset(&email);
    }

    /// Reads the mail with a link that sets a password.
    fn has_reset(&mut self, email: &str) {
        let token = self.mails.newest(email).token(routes::RESET_PASSWORD).to_owned();
        let now = self.now();
        for account in &mut self.possible {
            account.reset_mailed(&token, now);
        }
        self.resets.push(token);
    }

    /// What may be asked next; none when there is no link of that kind.
    fn ask(&mut self, serial: &str) -> Option<Ask> {
        Some(match self.random.u32(..10) {
            0 | 1 => Ask::LogIn { password: one_of(&mut self.random, &self.passwords)? },
            2..=4 => {
                let token = one_of(&mut self.random, &self.resets)?;
                Ask::Reset { token, new: self.new_password() }
            }
            5 => {
                let current = one_of(&mut self.random, &self.passwords)?;
                Ask::ChangePassword { current, new: self.new_password() }
            }
            6 | 7 => {
                let current = one_of(&mut self.random, &self.passwords)?;
                Ask::RequestEmail { email: format!("{serial}@example.net"), current }
            }
            8 => {
                let current = one_of(&mut self.random, &self.passwords)?;
                Ask::ConfirmEmail { token: one_of(&mut self.random, &self.changes)?, current }
            }
            _ => Ask::Undo { token: one_of(&mut self.random, &self.undos)? },
        })
    }

    async fn send(&self, ask: &Ask) -> Answer {
        let world = self.world;
        match ask {
            Ask::LogIn { password } => {
                world.login("client", ("email", &self.address()), password).await
            }
            Ask::Reset { token, new } => {
                let body = json!({"token": token, "password": new});
                world.post(routes::PASSWORD_RESET_CONFIRM, &body).await
            }
            Ask::ChangePassword { current, new } => {
                let body = json!({"current": current, "new": new});
                world.post_as(routes::PASSWORD, &self.access, &body).await
            }
            Ask::RequestEmail { email, current } => {
                let body = json!({"email": email, "password": current});
                world.post_as(routes::EMAIL, &self.access, &body).await
            }
            Ask::ConfirmEmail { token, current } => {
                let body = json!({"password": current});
                world.post(&format!("{}?token={token}", routes::CHANGE_EMAIL), &body).await
            }
            Ask::Undo { token } => {
                let path = format!("{}?token={token}", routes::UNDO_EMAIL);
                send(world.request(Method::POST, &path)).await
            }
        }
    }

    /// Asks for all of this at the same time; what is wrong with the answers, if anything is.
    async fn asks(&mut self, asks: Vec<Ask>) -> Result<(), String> {
        self.world.store.forget_counts().await;
        let before = self.address();
        let answers = join_all(asks.iter().map(|ask| self.send(ask))).await;
        let mut asked = Vec::new();
        for (ask, answer) in asks.into_iter().zip(&answers) {
            if answer.status.is_server_error() {
                return Err(format!("{ask:?}: {answer:?}"));
            }
            asked.push((ask, answer.status.is_success()));
        }
        let after = explain(&self.possible, &asked, self.now());
        if after.is_empty() {
            return Err(format!("{asked:?} of {:?}, after {:?}", self.possible, self.told));
        }
        self.told.extend(asked.iter().cloned());
        self.possible = after;
        for ((ask, done), answer) in asked.iter().zip(&answers) {
            if *done {
                self.has_mail_of(ask, &before, answer);
            }
        }
        Ok(())
    }

    /// Reads what was mailed because this was done, when the address was `before`.
    fn has_mail_of(&mut self, ask: &Ask, before: &str, answer: &Answer) {
        let now = self.now();
        match ask {
            Ask::LogIn { .. } => self.access = answer.field("access"),
            Ask::RequestEmail { email, .. } => {
                let token = self.mails.newest(email).token(routes::CHANGE_EMAIL).to_owned();
                for account in &mut self.possible {
                    account.change_mailed(&token, email, now);
                }
                self.changes.push(token);
            }
            Ask::ConfirmEmail { .. } => {
                let token = self.mails.newest(before).token(routes::UNDO_EMAIL).to_owned();
                for account in &mut self.possible {
                    account.undo_mailed(&token, before, now);
                }
                self.undos.push(token);
            }
            Ask::Undo { .. } => self.has_reset(&self.address()),
            Ask::Reset { .. } | Ask::ChangePassword { .. } => {}
        }
    }
}

/// Runs the history of this seed with the account `name`; what is wrong with it, if anything is.
async fn run((world, mails): &(World, MailServer), seed: u64, name: &str) -> Result<u32, String> {
    let (email, password) = (format!("{name}@example.org"), password_for(name));
    let body = json!({"username": name, "email": email, "password": password});
    world.post(routes::SIGNUP, &body).await.is(201);
    let token = mails.newest(&email).token(routes::VERIFY_PAGE).to_owned();
    let proof = json!({"password": password});
    world.post(&routes::verify_page(&token), &proof).await.is(200);
    let mut owner = Owner {
        world,
        mails,
        random: Rng::with_seed(seed),
        access: String::new(),
        passwords: vec![password.clone()],
        resets: Vec::new(),
        changes: Vec::new(),
        undos: Vec::new(),
        told: Vec::new(),
        possible: vec![Account::new(email, password.clone())],
        pairs: 0,
    };
    owner.asks(vec![Ask::LogIn { password }]).await?;
    let steps = owner.random.usize(6..24);
    for step in 0..steps {
        let serial = format!("{name}x{step}");
        match owner.random.u32(..12) {
            0 | 1 => owner.request_reset().await,
            2 => {
                let place = owner.random.usize(..MOVES.len());
                world.pass(MOVES[place]);
            }
            3 | 4 => {
                // Only of these the mails are the same in any order.
                let fits =
                    |ask: &Ask| matches!(ask, Ask::Reset { .. } | Ask::ChangePassword { .. });
                let drawn = (0..DRAWS).filter_map(|_| owner.ask(&serial));
                let both: Vec<_> = drawn.filter(fits).take(2).collect();
                owner.pairs += u32::from(both.len() == 2);
                owner.asks(both).await.map_err(|it| format!("step {step}: {it}"))?;
            }
            _ => {
                if let Some(ask) = owner.ask(&serial) {
                    owner.asks(vec![ask]).await.map_err(|it| format!("step {step}: {it}"))?;
                }
            }
        }
    }
    owner.request_reset().await;
    let (token, new) = (owner.resets[owner.resets.len() - 1].clone(), owner.new_password());
    owner.asks(vec![Ask::Reset { token: token.clone(), new: new.clone() }]).await?;
    for token in owner.resets.clone() {
        let late = Ask::Reset { token, new: "a password that is too late".to_owned() };
        owner.asks(vec![late]).await?;
    }
    owner.asks(vec![Ask::LogIn { password: new.clone() }]).await?;
    let gets_in = owner.possible.iter().all(|account| account.password.as_ref() == Some(&new));
    if gets_in {
        Ok(owner.pairs)
    } else {
        Err(format!("the owner is kept out: {:?}", owner.possible))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_every_history_of_recovery_what_is_asked_is_done_or_refused_as_the_model_says() {
    let seeds = seeds(HISTORIES);
    let worlds = (0..WORLDS).map(async |place| {
        let world = World::with_mails().await;
        let (mut failures, mut pairs) = (Vec::new(), 0);
        for (number, seed) in (0..).zip(&seeds) {
            if number % WORLDS == place {
                match run(&world, *seed, &format!("anna{number}")).await {
                    Ok(drawn) => pairs += drawn,
                    Err(wrong) => failures.push(format!("ACCOUNT_HISTORY_SEED={seed}: {wrong}")),
                }
            }
        }
        (failures, pairs)
    });
    let (failures, pairs): (Vec<_>, Vec<u32>) = join_all(worlds).await.into_iter().unzip();
    let (failures, pairs) = (failures.concat(), pairs.into_iter().sum::<u32>());
    println!("{} histories, in which two asked at once {pairs} times", seeds.len());
    assert!(failures.is_empty(), "{} failures: {}", failures.len(), failures[..1].join("\n"));
}
