//! `POST /api/sessions/refresh`.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::header::{COOKIE, ORIGIN, SET_COOKIE};
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::mail_server::MailServer;
use share_e2e::store::{hash_of, new_secret};
use share_e2e::{Answer, World, routes, send};

use crate::SERVER;

const DAY: i64 = 24 * 60 * 60;

async fn login(world: &World) -> Answer {
    world.login("client", ("username", "client"), "local-client-password").await
}

async fn refresh(world: &World, token: &str) -> Answer {
    world.post(routes::REFRESH, &json!({"refresh": token})).await
}

/// Whether an access token is served.
async fn served(world: &World, access: &str) -> Answer {
    world.get(routes::LIST_FILES, access).await
}

#[tokio::test]
async fn a_refresh_token_is_replaced_by_the_next_one_and_gives_access_of_the_same_session() {
    let world = World::start().await;
    let mut last = login(&world).await;
    let session = AccessToken::read(&last.field("access")).session();
    for _ in 0..5 {
        let next = refresh(&world, &last.field("refresh")).await;
        next.is(200);
        assert_eq!(AccessToken::read(&next.field("access")).session(), session);
        assert_ne!(next.field("refresh"), last.field("refresh"));
        served(&world, &next.field("access")).await.is(200);
        // What was given before goes on: a session has no single access token.
        served(&world, &last.field("access")).await.is(200);
        last = next;
    }
}

#[tokio::test]
async fn a_token_whose_answer_was_lost_gives_the_same_next_one_for_30_seconds_and_then_ends_all() {
    let world = World::start().await;
    let first = login(&world).await.field("refresh");
    let second = refresh(&world, &first).await.is(200).field("refresh");
    world.pass(29);
    let again = refresh(&world, &first).await;
    assert_eq!(again.is(200).field("refresh"), second);
    world.pass(1);
    refresh(&world, &first).await.refused(401, "session_revoked");
    served(&world, &again.field("access")).await.refused(401, "session_revoked");
    refresh(&world, &second).await.refused(401, "session_revoked");
}

#[tokio::test]
async fn a_token_of_two_rounds_ago_ends_its_session_at_once_and_no_other() {
    let world = World::start().await;
    let other = login(&world).await;
    let first = login(&world).await.field("refresh");
    let second = refresh(&world, &first).await.is(200).field("refresh");
    let third = refresh(&world, &second).await;
    third.is(200);
    for _ in 0..2 {
        refresh(&world, &first).await.refused(401, "session_revoked");
    }
    served(&world, &third.field("access")).await.refused(401, "session_revoked");
    let audit = world.store.audit_of_user(&AccessToken::read(&other.field("access")).user()).await;
    assert_eq!(audit.iter().filter(|it| *it == "session_replayed").count(), 1, "{audit:?}");
    served(&world, &other.field("access")).await.is(200);
    refresh(&world, &other.field("refresh")).await.is(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_session_that_ended_because_of_a_second_use_is_told_once() {
    let mail_server = MailServer::start().await;
    let data = tempfile::tempdir().unwrap();
    let server = SERVER.start_with(&mail_server.variables(), data.path());
    let who = ("username", "client");
    let login = server.api.login("client", who, "local-client-password").await;
    let mut token = login.field("refresh");
    for _ in 0..2 {
        let body = json!({"refresh": token});
        token = server.api.post(routes::REFRESH, &body).await.is(200).field("refresh");
    }
    let first = json!({"refresh": login.field("refresh")});
    join_all((0..16).map(|_| server.api.post(routes::REFRESH, &first))).await;
    let mails = mail_server.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:?}") };
    assert_eq!(mail.to, "client@example.com");
    assert!(mail.text.contains("used twice") && mail.text.contains("127.0.0.1"), "{mail:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_who_refresh_at_once_all_get_the_one_next_token() {
    let world = World::start().await;
    let mut token = login(&world).await.field("refresh");
    for round in 0..5 {
        let answers = join_all((0..64).map(|_| refresh(&world, &token))).await;
        let next: BTreeSet<_> =
            answers.iter().map(|answer| answer.is(200).field("refresh")).collect();
        assert_eq!(next.len(), 1, "round {round}");
        token = next.into_iter().next().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_while_64_refresh_has_ended_for_all_of_them() {
    let world = World::start().await;
    for round in 0..5 {
        let begun = login(&world).await;
        let (access, token) = (begun.field("access"), begun.field("refresh"));
        let answers = join_all((0..64).map(async |place| {
            if place == round * 13 {
                let current = routes::session("current");
                return send(world.request(Method::DELETE, &current).bearer_auth(&access)).await;
            }
            refresh(&world, &token).await
        }));
        for answer in answers.await {
            match answer.status.as_u16() {
                200 => {
                    let (access, token) = (answer.field("access"), answer.field("refresh"));
                    served(&world, &access).await.refused(401, "session_revoked");
                    refresh(&world, &token).await.refused(401, "session_revoked");
                }
                204 => {}
                _ => answer.refused(401, "session_revoked"),
            }
        }
    }
}

#[tokio::test]
async fn a_session_lasts_14_days_and_a_week_without_use() {
    let world = World::start().await;
    let idle = login(&world).await.field("refresh");
    world.pass(7 * DAY - 1);
    let used = refresh(&world, &idle).await.is(200).field("refresh");
    world.pass(7 * DAY);
    refresh(&world, &used).await.refused(401, "session_expired");
    let mut token = login(&world).await.field("refresh");
    for _ in 0..13 {
        world.pass(DAY);
        token = refresh(&world, &token).await.is(200).field("refresh");
    }
    world.pass(DAY - 1);
    token = refresh(&world, &token).await.is(200).field("refresh");
    world.pass(1);
    refresh(&world, &token).await.refused(401, "session_expired");
}

#[tokio::test]
async fn the_idle_life_of_a_session_is_a_setting() {
    let world = World::start_with(&[("SESSION_IDLE_SECONDS", "900")]).await;
    let token = login(&world).await.field("refresh");
    world.pass(899);
    let token = refresh(&world, &token).await.is(200).field("refresh");
    world.pass(900);
    refresh(&world, &token).await.refused(401, "session_expired");
}

#[tokio::test]
async fn a_text_that_is_no_refresh_token_of_ours_is_refused_and_changes_nothing() {
    let world = World::start().await;
    let begun = login(&world).await;
    let before = world.stored().await;
    refresh(&world, &new_secret()).await.refused(401, "refresh_unknown");
    for body in [json!({}), json!({"refresh": begun.field("access")}), json!({"refresh": 1})] {
        world.post(routes::REFRESH, &body).await.refused(422, "invalid_field");
    }
    world.unchanged(&before).await;
}

#[tokio::test]
async fn a_disabled_account_refreshes_nothing_until_it_is_enabled() {
    let world = World::start().await;
    let begun = login(&world).await;
    let user = AccessToken::read(&begun.field("access")).user();
    world.store.set_active(&user, false).await;
    refresh(&world, &begun.field("refresh")).await.refused(403, "account_disabled");
    world.store.set_active(&user, true).await;
    refresh(&world, &begun.field("refresh")).await.is(200);
}

#[tokio::test]
async fn no_refresh_token_is_in_a_table_but_its_hash_is() {
    let world = World::start().await;
    let first = login(&world).await.field("refresh");
    let second = refresh(&world, &first).await.is(200).field("refresh");
    let stored = format!("{:?}", world.stored().await);
    for token in [first, second] {
        assert!(!stored.contains(&token));
        assert!(stored.contains(&hash_of(&token)));
    }
}

/// A refresh by a browser's page at `origin`, with this cookie.
fn by_browser(world: &World, cookie: &str, origin: &str) -> RequestBuilder {
    let request = world.request(Method::POST, routes::REFRESH);
    request.header(COOKIE, cookie).header(ORIGIN, origin).header("sec-fetch-site", "same-origin")
}

#[tokio::test]
async fn a_browser_gets_its_refresh_token_as_a_cookie_that_no_script_and_no_other_site_can_use() {
    let world = World::start().await;
    let body = json!({"username": "client", "password": "local-client-password", "cookie": true});
    let begun = world.post(routes::CLIENT_LOGIN, &body).await;
    assert!(begun.is_json(200)["refresh"].is_null());
    let set = begun.header(SET_COOKIE.as_str());
    let (cookie, attributes) = set.split_once(';').unwrap();
    assert!(cookie.starts_with("__Host-refresh="), "{set}");
    let expected = " Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=1209600";
    assert_eq!(attributes, expected);

    let before = world.stored().await;
    let foreign = by_browser(&world, cookie, "https://evil.example");
    send(foreign).await.refused(403, "cross_site");
    let own = world.url("");
    let sibling = by_browser(&world, cookie, &own).header("sec-fetch-site", "same-site");
    send(sibling).await.refused(403, "cross_site");
    world.unchanged(&before).await;

    let next = send(by_browser(&world, cookie, &own)).await;
    assert!(next.is_json(200)["refresh"].is_null());
    let set = next.header(SET_COOKIE.as_str());
    assert!(set.starts_with("__Host-refresh=") && !set.starts_with(cookie), "{set}");
    served(&world, &next.field("access")).await.is(200);

    let end = world.request(Method::DELETE, &routes::session("current"));
    let end = send(end.bearer_auth(next.field("access")).header(COOKIE, cookie)).await;
    let cleared = end.is(204).header(SET_COOKIE.as_str()).to_owned();
    assert!(cleared.starts_with("__Host-refresh=;") && cleared.contains("Max-Age=0"), "{cleared}");
}
