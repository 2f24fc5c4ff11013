//! No answer tells who has an account: the same words, after the same time.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::scene::token_of;
use share_e2e::{Answer, World, routes, send};

/// Status, headers and body of an answer.
type Told = (u16, Vec<(String, String)>, String);

/// What an answer tells, without the moment and without what is random.
fn told(answer: &Answer) -> Told {
    let headers = answer.headers.iter().filter(|(name, _)| *name != "date");
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    let (body, text) = (answer.json(), answer.text());
    let request_id = body["request_id"].as_str().unwrap_or("no request_id");
    let url = body["verification_url"].as_str().unwrap_or("token=no verification_url");
    let token = url.split_once("token=").unwrap().1;
    (answer.status.as_u16(), headers, text.replace(request_id, "…").replace(token, "…"))
}

#[tokio::test]
async fn a_login_that_fails_tells_the_same_whatever_the_reason() {
    let world = World::start().await;
    world.sign_up("fresh").await;
    let right = "local-client-password";
    let fresh = "a password for fresh";
    let mut answers = Vec::new();
    for (role, who, password) in [
        ("client", ("username", "nobody"), right),
        ("client", ("email", "nobody@example.com"), right),
        ("client", ("username", "client"), "another password"),
        ("client", ("email", "client@example.com"), "another password"),
        ("ops", ("username", "client"), right),
        ("ops", ("email", "client@example.com"), right),
        ("ops", ("username", "client"), "another password"),
        ("client", ("username", "ops"), "local-ops-password"),
        ("client", ("username", "admin"), "local-admin-password"),
        ("ops", ("username", "nobody"), right),
        ("ops", ("username", "admin"), "another password"),
        ("client", ("username", "no name at all"), right),
        ("client", ("email", "no address at all"), right),
        // Not verified: its address has no account yet; by name the password is checked first.
        ("client", ("email", "fresh@example.org"), fresh),
        ("client", ("username", "fresh"), "another password"),
        ("ops", ("username", "fresh"), fresh),
    ] {
        let answer = world.login(role, who, password).await;
        answer.refused(401, "invalid_credentials");
        answers.push((format!("{who:?} at the login route for {role}"), told(&answer)));
    }
    let (_, first) = &answers[0];
    for (name, answer) in &answers {
        assert_eq!(answer, first, "{name}");
    }
    let answer = world.login("client", ("username", "fresh"), fresh).await;
    answer.refused(403, "email_not_verified");
}

/// All answers to a client that signs up as `name` with `email` and then tries to find out whether
/// the address was known before.
async fn probe(world: &World, name: &str, email: &str) -> Vec<Told> {
    let signup = async |username: &str, email: &str| {
        let password = "a password to probe with";
        let body = json!({"username": username, "email": email, "password": password});
        world.post(routes::SIGNUP, &body).await
    };
    let (by_name, by_email) = (("username", name), ("email", email));
    let right = "a password to probe with";
    let upper = email.to_uppercase();
    let again = name.replace("probe", "again");
    let answers = [
        signup(name, email).await,
        signup(name, email).await,
        signup(name, &format!("{name}@fresh.example.org")).await,
        signup(&again, &upper).await,
        world.login("client", by_name, right).await,
        world.login("client", by_name, "a wrong password").await,
        world.login("ops", by_name, right).await,
        world.login("client", by_email, right).await,
        world.login("client", by_email, "a wrong password").await,
        world.login("ops", by_email, right).await,
    ];
    let unnamed = |body: String| body.replace(name, "…").replace(&again, "…");
    let told = answers.iter().map(told);
    told.map(|(status, headers, body)| (status, headers, unnamed(body))).collect()
}

#[tokio::test]
async fn a_sign_up_with_a_known_address_looks_like_any_other_then_and_later() {
    let world = World::start().await;
    world.sign_up("early").await;
    let before = world.stored().await;

    let unknown = probe(&world, "probe1", "nobody1@example.org").await;
    let statuses: Vec<_> = unknown.iter().map(|(status, ..)| *status).collect();
    assert_eq!(statuses, [201, 201, 409, 201, 403, 401, 401, 401, 401, 401]);
    assert!(unknown[0].2.contains("verification_url"));
    assert!(unknown[2].2.contains("username_taken"));
    assert!(unknown[4].2.contains("email_not_verified"));

    // Verified, verified and written otherwise, signed up with but not verified.
    for (name, email) in [
        ("probe2", "client@example.com"),
        ("probe3", "Client@Example.COM"),
        ("probe4", "early@example.org"),
    ] {
        let known = probe(&world, name, email).await;
        for (step, (known, unknown)) in known.iter().zip(&unknown).enumerate() {
            assert_eq!(known, unknown, "{email}, step {step}");
        }
    }
    let after = world.stored().await;
    assert_eq!(
        after.reserved_addresses(),
        before.reserved_addresses(),
        "without a proof no address has a new owner"
    );
}

#[tokio::test]
async fn the_link_shown_for_a_known_address_verifies_nothing_and_its_owner_notices_nothing() {
    let world = World::start().await;
    let (email, password) = ("client@example.com", "a password of a thief");
    let body = json!({"username": "thief", "email": email, "password": password});
    let shown = world.post(routes::SIGNUP, &body).await.is(201).field("verification_url");
    let before = world.stored().await;
    world.open(&shown).await.refused(404, "verification_unknown");
    let posted = send(world.http.request(Method::POST, &shown)).await;
    posted.refused(404, "verification_unknown");
    let page = world.url(&routes::verify_page(token_of(&shown)));
    let posted = send(world.http.post(&page).json(&json!({"password": password}))).await;
    posted.refused(404, "verification_unknown");
    let by_name = world.login("client", ("username", "thief"), password).await;
    by_name.refused(403, "email_not_verified");
    let by_email = world.login("client", ("email", email), password).await;
    by_email.refused(401, "invalid_credentials");
    world.unchanged(&before).await;
    world.login("client", ("email", email), "local-client-password").await.is(200);
}

/// That none of these requests takes three times as long as another.
///
/// Of each the shortest of many times counts, because what else the machine does can only add to
/// it. On a busy machine even that may mislead, so it is tried again; a hash that is left out
/// shows every time.
async fn assert_alike(world: &World, path: &str, bodies: &[&dyn Fn(usize) -> Value]) {
    let mut measured = Vec::new();
    for attempt in 0..6 {
        let mut shortest = vec![Duration::MAX; bodies.len()];
        for round in 0..10 {
            for (body, shortest) in bodies.iter().zip(&mut shortest) {
                let body = body(attempt * 10 + round);
                let started = Instant::now();
                world.post(path, &body).await;
                *shortest = started.elapsed().min(*shortest);
            }
        }
        let (least, most) = (shortest.iter().min().unwrap(), shortest.iter().max().unwrap());
        if *most < *least * 3 {
            return;
        }
        measured.push(shortest);
    }
    assert!(measured.is_empty(), "one takes a time of its own: {measured:?}");
}

#[tokio::test]
async fn a_login_takes_as_long_for_an_unknown_account_as_for_a_known_one() {
    let world = World::start().await;
    let right = "local-client-password";
    assert_alike(
        &world,
        routes::OPS_LOGIN,
        &[
            &|_| json!({"username": "ops", "password": "another password"}),
            &|_| json!({"username": "client", "password": right}),
            &|_| json!({"username": "nobody", "password": right}),
            &|_| json!({"username": "no name at all", "password": right}),
            &|_| json!({"email": "ops@example.com", "password": "another password"}),
            &|_| json!({"email": "nobody@example.com", "password": right}),
        ],
    )
    .await;
}

#[tokio::test]
async fn a_sign_up_takes_as_long_with_a_known_address_as_with_an_unknown_one() {
    let world = World::start().await;
    let body = |name: String, email: &str| json!({"username": name, "email": email, "password": "a password to time"});
    assert_alike(
        &world,
        routes::SIGNUP,
        &[&|round| body(format!("new{round}"), &format!("new{round}@example.org")), &|round| {
            body(format!("known{round}"), "client@example.com")
        }],
    )
    .await;
}

#[tokio::test]
async fn a_reset_and_another_verification_link_take_as_long_for_unknown_addresses() {
    let world = World::start().await;
    world.sign_up("early").await;
    let body = |email: &str| json!({"email": email});
    for path in [routes::PASSWORD_RESET, routes::VERIFICATION] {
        let bodies: [&dyn Fn(usize) -> Value; 3] =
            [&|_| body("client@example.com"), &|_| body("early@example.org"), &|round| {
                body(&format!("nobody{round}@example.org"))
            }];
        assert_alike(&world, path, &bodies).await;
    }
}
