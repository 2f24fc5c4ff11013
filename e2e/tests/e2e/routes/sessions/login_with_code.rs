//! Logging in where a second factor is needed.

use reqwest::Method;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::api::local_password;
use share_e2e::matchers::case;
use share_e2e::{World, routes, send};
use share_model::limits::GUESSES_OF_CODE;

#[tokio::test]
async fn the_password_yields_a_challenge_and_challenge_and_code_yield_a_session() {
    let world = World::start().await;
    for role in ["client", "ops", "admin"] {
        let (token, password) = (world.token(role).await, local_password(role));
        let factor = world.enrol(&token, &password).await;
        let before = world.stored().await;
        let challenge = world.challenge(role).await;
        world.unchanged(&before).await;
        // Not even the right challenge says whether the code would be right.
        let wrong = world.login(role, ("username", role), "not the password").await;
        wrong.refused(401, "invalid_credentials");
        let code = factor.app.code(world.now());
        let answer = world.login_with(role, &challenge, &code).await;
        let access = answer.is(200).field("access");
        world.get(routes::SESSIONS, &access).await.is(200);
    }
}

#[tokio::test]
async fn a_code_counts_once_and_no_earlier_one_afterwards() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let challenge = world.challenge("client").await;
    let login = async |code: &str| world.login_with("client", &challenge, code).await;
    world.pass(60);
    let [before, now, after] = [-30, 0, 30]
        .map(|seconds| factor.app.code(world.now() + jiff::SignedDuration::from_secs(seconds)));
    login(&now).await.is(200);
    for code in [&now, &before] {
        login(code).await.refused(401, "invalid_code");
    }
    login(&after).await.is(200);
    login(&after).await.refused(401, "invalid_code");
}

#[tokio::test]
async fn a_recovery_code_counts_once_however_it_is_typed() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let challenge = world.challenge("client").await;
    let login = async |code: &str| world.login_with("client", &challenge, code).await;
    let [plain, upper, spaced, last] = [0, 1, 2, 3].map(|at| factor.codes[at].clone());
    for code in [plain.replace('-', ""), upper.to_uppercase(), spaced.replace('-', " "), last] {
        login(&code).await.is(200);
        login(&code).await.refused(401, "invalid_code");
        login(&code.to_lowercase()).await.refused(401, "invalid_code");
    }
    login("0123-4567-89ab-cdef").await.refused(401, "invalid_code");
}

#[tokio::test]
async fn what_is_no_challenge_for_this_login_is_refused() {
    let world = World::start().await;
    let (client, ops) = (world.token("client").await, world.token("ops").await);
    let client = world.enrol(&client, &local_password("client")).await;
    let others = world.enrol(&ops, &local_password("ops")).await;
    let now = world.now();
    let (challenge, others_challenge) =
        (world.challenge("client").await, world.challenge("ops").await);
    let code = client.app.code(now);
    let post = |role: &str, challenge: &str, code: &str| {
        let body = json!({"challenge": challenge, "code": code});
        world.request(Method::POST, routes::login(role)).json(&body)
    };
    let invalid = |name: &str, role: &str, challenge: &str| {
        case(name, post(role, challenge, &code), 401, "invalid_challenge")
    };
    let mut cases = vec![
        invalid("the other role's route", "ops", &challenge),
        invalid("another account's challenge there", "client", &others_challenge),
        invalid("nothing", "client", ""),
        invalid("an access token", "client", &world.token("admin").await),
        invalid("half of it", "client", &challenge[..challenge.len() / 2]),
        invalid("with a letter more", "client", &format!("{challenge}A")),
    ];
    for body in [
        json!({"challenge": challenge}),
        json!({"code": code}),
        json!({"challenge": challenge, "code": code, "password": local_password("client")}),
        json!({"challenge": challenge, "code": code, "username": "client"}),
        json!({"challenge": "a".repeat(513), "code": code}),
        json!({"challenge": challenge, "code": "1".repeat(65)}),
    ] {
        let request = world.request(Method::POST, routes::CLIENT_LOGIN).json(&body);
        cases.push(case(body.to_string(), request, 422, "invalid_field"));
    }
    world.refuses(cases).await;
    // Another seed's code is wrong.
    let code = others.app.code(now);
    world.login_with("client", &challenge, &code).await.refused(401, "invalid_code");
    world.login_with("client", &challenge, &client.app.code(now)).await.is(200);
}

#[tokio::test]
async fn a_challenge_ends_after_five_minutes_or_when_all_sessions_are_ended() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let challenge = world.challenge("client").await;
    let begun = world.now().as_second();
    world.pass_until(begun + 298);
    world.login_with("client", &challenge, &factor.app.code(world.now())).await.is(200);
    world.pass_until(begun + 301);
    let code = &factor.codes[0];
    let late = world.login_with("client", &challenge, code).await;
    late.refused(401, "invalid_challenge");

    let challenge = world.challenge("client").await;
    let end = world.request(Method::DELETE, routes::SESSIONS).bearer_auth(&token);
    send(end).await.is(204);
    let ended = world.login_with("client", &challenge, code).await;
    ended.refused(401, "invalid_challenge");
    let challenge = world.challenge("client").await;
    world.login_with("client", &challenge, code).await.is(200);
}

#[tokio::test]
async fn a_disabled_account_is_refused_with_its_challenge_too() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let challenge = world.challenge("client").await;
    let user = AccessToken::read(&token).user();
    world.store.set_active(&user, false).await;
    let answer = world.login_with("client", &challenge, &factor.app.code(world.now())).await;
    answer.refused(403, "account_disabled");
    world.store.set_active(&user, true).await;
    world.login_with("client", &challenge, &factor.app.code(world.now())).await.is(200);
}

#[tokio::test]
async fn a_challenge_opens_no_protected_route() {
    let world = World::start_with(&[("REQUIRE_SECOND_FACTOR", "ops")]).await;
    let token = world.token("client").await;
    world.enrol(&token, &local_password("client")).await;
    let login = world.challenge("client").await;
    let enrolment = world.enrolment("ops").await;
    for (path, challenge) in [
        (routes::LIST_FILES, &login),
        (routes::SESSIONS, &login),
        (routes::LIST_UPLOADED, &enrolment),
        (routes::SESSIONS, &enrolment),
    ] {
        world.get(path, challenge).await.refused(401, "invalid_token");
    }
    let body = json!({"password": local_password("client")});
    world.post_as(routes::TOTP, &login, &body).await.refused(401, "invalid_token");
    let code = json!({"code": "123456"});
    world.post_as(routes::CONFIRM_TOTP, &login, &code).await.refused(401, "invalid_token");
    world.post_as(routes::RECOVERY_CODES, &enrolment, &code).await.refused(401, "invalid_token");
    let delete = world.delete_totp(&enrolment, &local_password("ops"), "123456").await;
    delete.refused(401, "invalid_token");
    world.login_with("ops", &enrolment, "123456").await.refused(401, "invalid_challenge");
}

#[tokio::test]
async fn a_role_that_needs_a_factor_sets_one_up_at_its_next_login() {
    let world = World::start_with(&[("REQUIRE_SECOND_FACTOR", "admin,ops")]).await;
    world.token("client").await;
    for role in ["ops", "admin"] {
        let (token, app) = world.enrol_by_challenge(role).await;
        world.get(routes::SESSIONS, &token).await.is(200);
        world.pass(30);
        let challenge = world.challenge(role).await;
        let answer = world.login_with(role, &challenge, &app.code(world.now())).await;
        answer.is(200);
    }
}

#[tokio::test]
async fn an_enrolment_challenge_ends_with_its_time_with_the_enrolment_and_with_all_sessions() {
    let world = World::start_with(&[("REQUIRE_SECOND_FACTOR", "ops")]).await;
    let stale = world.enrolment("ops").await;
    world.pass(301);
    let answer = world.post_as(routes::TOTP, &stale, &json!({})).await;
    answer.refused(401, "token_expired");

    // Two that race for the same account: who confirms first has it.
    let (one, other) = (world.enrolment("ops").await, world.enrolment("ops").await);
    let app = world.begin_enrolment(&one).await;
    world.confirm_totp(&one, &app.code(world.now())).await.is(200);
    let late = world.post_as(routes::TOTP, &other, &json!({})).await;
    late.refused(409, "second_factor_present");
    let late = world.confirm_totp(&other, &app.code(world.now())).await;
    late.refused(409, "second_factor_present");
}

#[tokio::test]
async fn who_does_not_know_the_password_uses_up_no_codes() {
    let world = World::start().await;
    let (token, ops) = (world.token("client").await, world.token("ops").await);
    let factor = world.enrol(&token, &local_password("client")).await;
    world.enrol(&ops, &local_password("ops")).await;
    let owner = AccessToken::read(&token).user();
    let wrong = factor.app.wrong_code(world.now());
    let (challenge, foreign) = (world.challenge("client").await, world.challenge("ops").await);
    let forged = format!("{}A", &challenge[..challenge.len() - 1]);
    for _ in 0..12 {
        world.login("client", ("username", "client"), "a wrong password").await.is(401);
        for challenge in ["", &forged, &foreign] {
            world.login_with("client", challenge, &wrong).await.is(401);
        }
    }
    assert_eq!(world.store.count(&GUESSES_OF_CODE, &owner, world.now()).await, 0);
    world.login_with("client", &challenge, &factor.app.code(world.now())).await.is(200);
}

#[tokio::test]
async fn after_ten_wrong_codes_the_next_waits_and_a_recovery_code_does_not() {
    let world = World::start().await;
    let token = world.token("client").await;
    let factor = world.enrol(&token, &local_password("client")).await;
    let challenge = world.challenge("client").await;
    let login = async |code: &str| world.login_with("client", &challenge, code).await;
    let wrong = factor.app.wrong_code(world.now());
    for _ in 0..10 {
        login(&wrong).await.refused(401, "invalid_code");
    }
    let right = factor.app.code(world.now());
    let answer = login(&right).await;
    answer.refused(429, "too_many_guesses");
    assert_eq!(answer.header("retry-after"), "1");
    login(&factor.codes[0]).await.is(200);
    world.pass(1);
    login(&right).await.is(200);
}
