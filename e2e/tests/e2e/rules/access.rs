//! Which role may use which route, and which access tokens count.

use std::collections::BTreeSet;

use reqwest::header::AUTHORIZATION;
use serde_json::json;
use share_contract::{Caller, operations};
use share_e2e::access_token::{AccessToken, forgeries};
use share_e2e::matchers::faults_of;
use share_e2e::routes::{PROTECTED, PUBLIC, is_allowed_and_refused, is_for};
use share_e2e::{Answer, Scene, World, routes, send};

const ROLES: [&str; 3] = ["client", "ops", "admin"];

/// The contract says who may call an operation; a test in `local` proves that its routes are those of
/// the template.
#[test]
fn every_operation_is_in_one_of_the_two_tables_with_the_role_that_may_call_it() {
    let (mut protected, mut public) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations::ALL {
        for route in operation.routes {
            let route = format!("{} {}", route.method, route.path);
            match operation.caller {
                Caller::AccessToken(roles) => {
                    protected.extend(roles.iter().map(|it| format!("{route} {}", it.as_str())));
                }
                Caller::Anyone | Caller::TokenHolder | Caller::Password(_) => {
                    public.insert(route);
                }
            }
        }
    }
    let rows = PROTECTED.iter().map(|(method, path, role)| format!("{method} {path} {role}"));
    assert_eq!(rows.collect::<BTreeSet<_>>(), protected);
    let rows = PUBLIC.iter().map(|(method, path, ..)| format!("{method} {path}"));
    assert_eq!(rows.collect::<BTreeSet<_>>(), public);
}

/// What may stand in `Authorization` without authenticating anybody: name, header, code.
fn without_authentication(
    genuine: &str,
    opaque: &[(&'static str, String)],
) -> Vec<(String, String, String)> {
    let row = |name: &str, header: &str, code: &str| (name.into(), header.into(), code.into());
    let mut rows = vec![
        row("an empty header", "", "missing_token"),
        row("Bearer and nothing", "Bearer", "missing_token"),
        row("Bearer and a space", "Bearer ", "missing_token"),
        row("the token alone", genuine, "missing_token"),
        row("Basic", "Basic Y2xpZW50OmxvY2FsLWNsaWVudC1wYXNzd29yZA==", "missing_token"),
        row("Basic with the token", &format!("Basic {genuine}"), "missing_token"),
        row("Digest", "Digest username=\"client\"", "missing_token"),
        row("Bearerer", &format!("Bearerer {genuine}"), "missing_token"),
        row("garbage", "Bearer garbage", "invalid_token"),
        row("garbage in three parts", "Bearer a.b.c", "invalid_token"),
        row("dots", "Bearer ..", "invalid_token"),
        row("the token twice", &format!("Bearer {genuine} {genuine}"), "invalid_token"),
        row("the token in quotes", &format!("Bearer \"{genuine}\""), "invalid_token"),
        row("the password", "Bearer local-client-password", "invalid_token"),
        row("8 KB", &format!("Bearer {}", "A".repeat(8192)), "invalid_token"),
    ];
    for (name, token) in opaque.iter().chain(&forgeries(genuine)) {
        rows.push(row(name, &format!("Bearer {token}"), "invalid_token"));
    }
    rows
}

#[tokio::test]
async fn a_protected_route_serves_its_role_and_refuses_everybody_else() {
    let scene = Scene::start().await;
    let world = &scene.world;
    let mut tokens = Vec::new();
    for role in ROLES {
        tokens.push((role, world.token(role).await));
    }
    let token = |wanted: &str| &tokens.iter().find(|(role, _)| *role == wanted).unwrap().1;
    let targets = scene.targets().await;
    let login = world.login("client", ("username", "client"), "local-client-password").await;
    let opaque = [
        ("a refresh token", login.field("refresh")),
        ("a download token", targets.link.token().to_owned()),
    ];

    let before = world.stored().await;
    let (mut faults, mut count) = (Vec::new(), 0);
    let mut check = |name: String, answer: &Answer, status: u16, code: &str| {
        count += 1;
        let found = faults_of(answer, status, code);
        if !found.is_empty() {
            faults.push(format!("{name}: {found:?}, got {} {}", answer.status, answer.code()));
        }
        let challenge = answer.header("www-authenticate");
        // RFC 6750, section 3.1: an error is named only when a token came.
        if status == 401 && challenge.contains("error=") != (code != "missing_token") {
            faults.push(format!("{name}: WWW-Authenticate is {challenge}"));
        }
    };
    for (method, path, role) in PROTECTED {
        let call = || scene.call(method, path, &targets);
        check(
            format!("{method} {path} without a header"),
            &send(call()).await,
            401,
            "missing_token",
        );
        for (name, header, code) in without_authentication(token(role), &opaque) {
            let answer = send(call().header(AUTHORIZATION, header)).await;
            check(format!("{method} {path} with {name}"), &answer, 401, &code);
        }
        for (other, token) in tokens.iter().filter(|(it, _)| !is_for(method, path, it)) {
            let answer = send(call().bearer_auth(token)).await;
            check(format!("{method} {path} as {other}"), &answer, 403, "wrong_role");
            // The role that counts is the user's, not the token's.
            let promoted = AccessToken::read(token).with_role(role);
            let answer = send(call().bearer_auth(promoted)).await;
            check(format!("{method} {path} as promoted {other}"), &answer, 403, "wrong_role");
        }
        let in_query = format!("{path}?access_token={}", token(role));
        let answer = send(scene.call(method, &in_query, &targets)).await;
        check(
            format!("{method} {path} with the token in the query"),
            &answer,
            401,
            "missing_token",
        );
    }
    assert!(faults.is_empty(), "{} of {count} cases:\n{}", faults.len(), faults.join("\n"));
    world.unchanged(&before).await;

    for (method, path, role) in PROTECTED {
        for resealed in [false, true] {
            // One that no row before has ended.
            let token = world.token(role).await;
            let header = if resealed {
                format!("bearer {}", AccessToken::read(&token).seal())
            } else {
                format!("Bearer {token}")
            };
            let request = scene.call(method, path, &targets).header(AUTHORIZATION, header);
            let answer = send(request).await;
            if is_allowed_and_refused(path, &answer.code()) {
                continue;
            }
            let expected = match (method, path) {
                // The first of the two makes or deletes the one group.
                ("POST", routes::GROUPS) if resealed => 409,
                ("DELETE", "/api/admin/groups/{name}") if resealed => 404,
                ("PUT" | "DELETE", _) => 204, // again too
                (_, routes::COMPLETE_UPLOAD | routes::IMPORTS) => 202,
                ("POST", path) if !path.ends_with("/parts") => 201,
                _ => 200,
            };
            assert_eq!(answer.status, expected, "{method} {path} as {role}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_access_token_ends_after_a_quarter_of_an_hour_on_every_route() {
    let scene = Scene::start().await;
    let (world, targets) = (&scene.world, scene.targets().await);
    // One for each row, because some rows end sessions.
    let mut tokens = Vec::new();
    for (.., role) in PROTECTED {
        tokens.push(world.token(role).await);
    }
    world.pass(15 * 60 - 1);
    for ((method, path, _), token) in PROTECTED.iter().zip(&tokens) {
        let answer = send(scene.call(method, path, &targets).bearer_auth(token)).await;
        let allowed = answer.status.is_success() || is_allowed_and_refused(path, &answer.code());
        assert!(allowed, "{method} {path}: {answer:?}");
    }
    world.pass(1);
    world.server.jobs_idle().await;
    let before = world.stored().await;
    for ((method, path, _), expired) in PROTECTED.iter().zip(&tokens) {
        // Whether its time is over is told of a genuine token only.
        let forged = AccessToken::read(expired).sign_with_foreign_key();
        for (token, code) in [(expired, "token_expired"), (&forged, "invalid_token")] {
            let answer = send(scene.call(method, path, &targets).bearer_auth(token)).await;
            answer.refused(401, code);
            assert!(answer.header("www-authenticate").contains("error=\"invalid_token\""));
        }
    }
    world.unchanged(&before).await;
    let again = world.token("client").await;
    world.get(routes::LIST_FILES, &again).await.is(200);
}

#[tokio::test]
async fn a_public_route_needs_no_token_and_ignores_a_bad_one() {
    let world = World::start().await;
    let before = world.stored().await;
    for (method, path, status, code) in PUBLIC {
        for header in [None, Some("Bearer garbage"), Some("Basic Og==")] {
            let request = world.request(method.parse().unwrap(), path);
            let login_or_signup = status == 422;
            let request = if login_or_signup { request.json(&json!({})) } else { request };
            let request = header.iter().fold(request, |it, value| it.header(AUTHORIZATION, *value));
            let answer = send(request).await;
            // A code is in the body, and there may be none.
            if code.is_empty() {
                answer.is(status);
                continue;
            }
            answer.refused(status, code);
        }
    }
    world.unchanged(&before).await;
}
