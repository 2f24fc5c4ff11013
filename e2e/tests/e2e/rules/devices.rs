//! Browsers that have logged in before, which nothing that others do keeps out.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::header::{COOKIE, ORIGIN};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use share_e2e::answer::Answer;
use share_e2e::api::{Api, local_password};
use share_e2e::{World, routes, send};
use share_model::limits::{
    GUESSES_FROM_DEVICE, GUESSES_FROM_SOURCE, GUESSES_OF_NAME, GUESSES_OF_NAME_FROM_SOURCE,
};

/// How many guess at the same moment.
const GUESSERS: usize = 64;

/// Where both strangers and the owner of the account are.
const SHARED: &str = "127.0.0.2";
const CLIENT: (&str, &str) = ("username", "client");
const DEVICE: &str = "__Host-device";
const WRONG: &str = "a wrong password";

/// A world at the beginning of a day, so that no test lasts into the next one.
async fn world() -> World {
    let world = World::start().await;
    world.begin_day();
    world
}

/// Name and value of the device's cookie of this answer.
fn device(answer: &Answer) -> String {
    let set = answer.set_cookie(DEVICE);
    set.split(';').next().unwrap_or_default().to_owned()
}

/// A browser's login as `role`, which becomes a known device.
async fn log_in(api: &Api, role: &str) -> Answer {
    let body = json!({"username": role, "password": local_password(role), "cookie": true});
    let answer = api.post(routes::login(role), &body).await;
    answer.is(200);
    answer
}

/// A login of a Client by a page at `origin`, with these cookies.
fn from_page(
    (api, origin): (&Api, &str),
    cookies: &str,
    who: (&str, &str),
    password: &str,
) -> RequestBuilder {
    let request = api.request(Method::POST, routes::CLIENT_LOGIN).header(ORIGIN, origin);
    let request = request.header("sec-fetch-site", "same-origin").header(COOKIE, cookies);
    request.json(&json!({who.0: who.1, "password": password}))
}

/// A login of the Client by a page of the service, with these cookies.
async fn try_with(api: &Api, cookies: &str, password: &str) -> Answer {
    send(from_page((api, &api.url("")), cookies, CLIENT, password)).await
}

async fn right(api: &Api, cookies: &str) -> Answer {
    try_with(api, cookies, &local_password("client")).await
}

/// The session by which the wrong passwords of this cookie are counted.
fn session_of(cookie: &str) -> String {
    let (content, _) = cookie.split_once('=').unwrap().1.split_once('.').unwrap();
    let content: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(content).unwrap()).unwrap();
    content["session"].as_str().unwrap().to_owned()
}

/// The same with a MAC that differs in its first character.
fn flipped(cookie: &str) -> String {
    let (content, mac) = cookie.split_once('.').unwrap();
    let other = if mac.starts_with('A') { 'B' } else { 'A' };
    format!("{content}.{other}{}", &mac[1..])
}

/// Strangers have guessed as often as it takes, also at the owner's own address.
async fn strangers_have_guessed(world: &World, now: Timestamp) {
    for name in ["client", "client@example.com"] {
        let both = format!("{SHARED} {name}");
        world.store.set_count(&GUESSES_OF_NAME, name, 1_000_000, now).await;
        world.store.set_count(&GUESSES_OF_NAME_FROM_SOURCE, &both, 10_000, now).await;
    }
    world.store.set_count(&GUESSES_FROM_SOURCE, SHARED, 100, now).await;
}

#[tokio::test]
async fn a_browser_that_logs_in_gets_a_cookie_that_no_script_and_no_other_site_can_use() {
    let world = world().await;
    let begun = log_in(&world, "client").await;
    let (cookie, attributes) = begun.set_cookie(DEVICE).split_once(';').unwrap();
    let expected = " Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=34560000";
    assert_eq!(attributes, expected);
    let sessions = world.all(routes::SESSIONS, 100, &begun.field("access")).await;
    assert_eq!(session_of(cookie), sessions[0]["id"].as_str().unwrap());

    let refresh = world.request(Method::POST, routes::REFRESH).header(ORIGIN, world.url(""));
    let refresh = refresh.header("sec-fetch-site", "same-origin").header(COOKIE, begun.cookie());
    let next = send(refresh).await;
    next.is(200);
    assert_eq!(session_of(&device(&next)), session_of(cookie), "its count goes on");

    let program = world.login("client", CLIENT, &local_password("client")).await;
    assert!(!program.headers.contains_key("set-cookie"), "{program:?}");
    let keys: Vec<_> = program.is_json(200).as_object().unwrap().keys().cloned().collect();
    assert_eq!(keys, ["access", "expires_in", "refresh", "token_type"]);
}

#[tokio::test]
async fn a_device_is_known_only_once_the_second_factor_was_shown_too() {
    let world = World::start_with(&[("REQUIRE_SECOND_FACTOR", "client")]).await;
    let challenge = world.enrolment("client").await;
    let app = world.begin_enrolment(&challenge).await;
    let body = json!({"code": app.code(world.now()), "cookie": true});
    let enrolled = world.post_as(routes::CONFIRM_TOTP, &challenge, &body).await;
    enrolled.is(200);
    assert!(!device(&enrolled).is_empty());
    world.pass(60);
    let body = json!({"username": "client", "password": local_password("client"), "cookie": true});
    let asked = world.post(routes::CLIENT_LOGIN, &body).await;
    asked.refused(401, "second_factor_required");
    assert!(!asked.headers.contains_key("set-cookie"), "{asked:?}");
    let body = json!({"challenge": asked.field("challenge"), "code": app.code(world.now()),
        "cookie": true});
    let begun = world.post(routes::CLIENT_LOGIN, &body).await;
    begun.is(200);
    assert_ne!(session_of(&device(&begun)), session_of(&device(&enrolled)));
}

#[tokio::test]
async fn whatever_strangers_do_a_device_that_has_logged_in_before_gets_in() {
    let world = world().await;
    let shared = world.from(SHARED);
    let known = device(&log_in(&shared, "client").await);
    strangers_have_guessed(&world, world.now()).await;
    let before = world.stored().await;
    right(&shared, "").await.limited("too_many_guesses");
    world.unchanged(&before).await;

    try_with(&shared, &known, WRONG).await.refused(401, "invalid_credentials");
    let password = local_password("client");
    for who in [CLIENT, ("username", "CLIENT"), ("email", "client@example.com")] {
        let request = from_page((&shared, &world.url("")), &known, who, &password);
        send(request).await.is(200);
    }
    let now = world.now();
    let both = format!("{SHARED} client");
    assert_eq!(world.store.count(&GUESSES_FROM_DEVICE, &session_of(&known), now).await, 1);
    assert_eq!(world.store.count(&GUESSES_OF_NAME, "client", now).await, 1_000_000);
    assert_eq!(world.store.count(&GUESSES_OF_NAME_FROM_SOURCE, &both, now).await, 10_000);
    assert_eq!(world.store.count(&GUESSES_FROM_SOURCE, SHARED, now).await, 100);
}

#[tokio::test]
async fn a_device_has_ten_wrong_passwords_of_its_own_and_then_waits_wherever_it_is() {
    let world = world().await;
    let shared = world.from(SHARED);
    let known = device(&log_in(&shared, "client").await);
    let other = device(&log_in(&shared, "client").await);
    for number in 1..=10 {
        try_with(&shared, &known, WRONG).await.refused(401, "invalid_credentials");
        if number == 9 {
            right(&shared, &known).await.is(200);
        }
    }
    let elsewhere = world.from("127.0.0.3");
    for wait in [1, 2, 4] {
        for api in [&shared, &elsewhere] {
            assert_eq!(right(api, &known).await.limited("too_many_guesses"), wait);
        }
        world.pass(wait);
        try_with(&shared, &known, WRONG).await.refused(401, "invalid_credentials");
    }
    // Neither the account nor the source has waited for it.
    right(&shared, &other).await.is(200);
    right(&shared, "").await.is(200);
    world.pass(8);
    right(&shared, &known).await.is(200);
}

#[tokio::test]
async fn a_device_of_somebody_else_or_of_another_site_counts_as_none() {
    let world = world().await;
    let shared = world.from(SHARED);
    let known = device(&log_in(&shared, "client").await);
    let foreign = device(&log_in(&shared, "ops").await);
    let own = world.url("");
    let forged = flipped(&known);
    let renamed = known.replace("__Host-", "");
    let wrong = json!({"username": "client", "password": WRONG});
    let plain =
        || shared.request(Method::POST, routes::CLIENT_LOGIN).header(COOKIE, &known).json(&wrong);
    let mut told = Vec::new();
    for (number, request) in [
        from_page((&shared, &own), "", CLIENT, WRONG),
        from_page((&shared, &own), &foreign, CLIENT, WRONG),
        from_page((&shared, &own), &forged, CLIENT, WRONG),
        from_page((&shared, &own), &renamed, CLIENT, WRONG),
        from_page((&shared, "https://evil.example"), &known, CLIENT, WRONG),
        plain(),
        plain().header(ORIGIN, &own).header("sec-fetch-site", "same-site"),
    ]
    .into_iter()
    .enumerate()
    {
        let limited = request.try_clone().unwrap();
        let answer = send(request).await;
        answer.refused(401, "invalid_credentials");
        let (now, both) = (world.now(), format!("{SHARED} client"));
        let guesses = u64::try_from(number).unwrap() + 1;
        for (limit, whom) in [
            (&GUESSES_OF_NAME, "client"),
            (&GUESSES_OF_NAME_FROM_SOURCE, &both),
            (&GUESSES_FROM_SOURCE, SHARED),
        ] {
            assert_eq!(world.store.count(limit, whom, now).await, guesses, "{number}");
        }
        told.push(limited);
    }
    for device in [&known, &foreign] {
        let session = session_of(device);
        assert_eq!(world.store.count(&GUESSES_FROM_DEVICE, &session, world.now()).await, 0);
    }
    strangers_have_guessed(&world, world.now()).await;
    for request in told {
        send(request).await.limited("too_many_guesses");
    }
}

#[tokio::test]
async fn a_device_is_forgotten_with_the_password_and_with_the_end_of_all_sessions() {
    let (world, mails) = World::with_mails().await;
    let shared = world.from(SHARED);
    strangers_have_guessed(&world, world.now()).await;
    // Requests from this machine have no source, and are not limited.
    let begun = log_in(&world, "client").await;
    let (access, ended) = (begun.field("access"), device(&begun));
    let kept = log_in(&world, "client").await;
    let (kept_access, lost) = (kept.field("access"), device(&kept));
    send(world.request(Method::DELETE, &routes::session("current")).bearer_auth(&access))
        .await
        .is(204);
    right(&shared, &ended).await.is(200);

    let change = json!({"current": local_password("client"), "new": "a password of my own"});
    world.post_as(routes::PASSWORD, &kept_access, &change).await.is(204);
    for device in [&ended, &lost] {
        try_with(&shared, device, "a password of my own").await.limited("too_many_guesses");
    }
    let refresh = world.request(Method::POST, routes::REFRESH).header(ORIGIN, world.url(""));
    let next = send(refresh.header(COOKIE, kept.cookie())).await;
    next.is(200);
    let again = device(&next);
    try_with(&shared, &again, "a password of my own").await.is(200);

    let body = json!({"email": "client@example.com"});
    world.post(routes::PASSWORD_RESET, &body).await.is(202);
    let token = mails.newest("client@example.com").token(routes::RESET_PASSWORD).to_owned();
    let body = json!({"token": token, "password": local_password("client")});
    world.post(routes::PASSWORD_RESET_CONFIRM, &body).await.is(200);
    right(&shared, &again).await.limited("too_many_guesses");

    let newest = log_in(&world, "client").await;
    right(&shared, &device(&newest)).await.is(200);
    let end = world.request(Method::DELETE, routes::SESSIONS).bearer_auth(newest.field("access"));
    send(end).await.is(204);
    right(&shared, &device(&newest)).await.limited("too_many_guesses");
}

#[tokio::test]
async fn a_devices_token_opens_nothing_by_itself() {
    let world = World::start().await;
    let begun = log_in(&world, "client").await;
    let cookie = device(&begun);
    let (_, token) = cookie.split_once('=').unwrap();
    let before = world.stored().await;
    world.get(routes::ACCOUNT, token).await.refused(401, "invalid_token");
    world.post_as(routes::TOTP, token, &json!({})).await.refused(401, "invalid_token");
    world.login_with("client", token, "000000").await.refused(401, "invalid_challenge");
    world.post(routes::REFRESH, &json!({"refresh": token})).await.is(422);
    let refresh = world.request(Method::POST, routes::REFRESH).header(ORIGIN, world.url(""));
    send(refresh.header(COOKIE, format!("__Host-refresh={token}"))).await.is(422);
    try_with(&world, &cookie, WRONG).await.refused(401, "invalid_credentials");
    let access = format!("{DEVICE}={}", begun.field("access"));
    world.unchanged(&before).await;

    let shared = world.from(SHARED);
    strangers_have_guessed(&world, world.now()).await;
    right(&shared, &access).await.limited("too_many_guesses");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_wrong_passwords_of_a_device_at_the_same_moment_exactly_ten_are_compared() {
    let world = world().await;
    let shared = world.from(SHARED);
    let known = device(&log_in(&shared, "client").await);
    let answers = join_all((0..GUESSERS).map(|_| try_with(&shared, &known, WRONG))).await;
    let told = |code: &str| answers.iter().filter(|it| it.code() == code).count();
    let (compared, refused) = (told("invalid_credentials"), told("too_many_guesses"));
    assert_eq!((compared, refused), (10, GUESSERS - 10));
    let session = session_of(&known);
    assert_eq!(world.store.count(&GUESSES_FROM_DEVICE, &session, world.now()).await, 10);
}
