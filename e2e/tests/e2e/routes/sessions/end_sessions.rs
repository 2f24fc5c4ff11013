//! `DELETE /api/sessions/{id}` and `DELETE /api/sessions`.

use reqwest::Method;
use serde_json::json;
use share_e2e::access_token::AccessToken;
use share_e2e::{Answer, World, routes, send};

async fn login(world: &World) -> Answer {
    world.login("client", ("username", "client"), "local-client-password").await
}

async fn end(world: &World, path: &str, access: &str) -> Answer {
    send(world.request(Method::DELETE, path).bearer_auth(access)).await
}

async fn is_over(world: &World, session: &Answer) {
    let access = session.field("access");
    world.get(routes::LIST_FILES, &access).await.refused(401, "session_revoked");
    let refresh = json!({"refresh": session.field("refresh")});
    world.post(routes::REFRESH, &refresh).await.refused(401, "session_revoked");
}

async fn goes_on(world: &World, session: &Answer) {
    world.get(routes::LIST_FILES, &session.field("access")).await.is(200);
}

#[tokio::test]
async fn a_session_that_is_ended_is_over_with_the_next_request_and_others_go_on() {
    let world = World::start().await;
    let (one, other) = (login(&world).await, login(&world).await);
    let path = routes::session(&AccessToken::read(&one.field("access")).session());
    for _ in 0..2 {
        end(&world, &path, &other.field("access")).await.is(204);
    }
    is_over(&world, &one).await;
    goes_on(&world, &other).await;
    end(&world, &routes::session("current"), &other.field("access")).await.is(204);
    is_over(&world, &other).await;
    let user = AccessToken::read(&one.field("access")).user();
    let audit = world.store.audit_of_user(&user).await;
    assert_eq!(audit, ["session_begun", "session_begun", "session_ended", "session_ended"]);
}

#[tokio::test]
async fn all_sessions_end_at_once_and_new_ones_can_begin() {
    let world = World::start().await;
    let (one, other) = (login(&world).await, login(&world).await);
    let ops = world.token("ops").await;
    end(&world, routes::SESSIONS, &one.field("access")).await.is(204);
    is_over(&world, &one).await;
    is_over(&world, &other).await;
    world.get(routes::LIST_UPLOADED, &ops).await.is(200);
    let again = login(&world).await;
    goes_on(&world, &again).await;
    assert_eq!(world.all(routes::SESSIONS, 100, &again.field("access")).await.len(), 1);
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else() {
    let world = World::start().await;
    let (mine, ops) = (login(&world).await, world.token("ops").await);
    let before = world.stored().await;
    let path = routes::session(&AccessToken::read(&mine.field("access")).session());
    end(&world, &path, &ops).await.refused(404, "session_unknown");
    for wrong in ["017f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e279b07cc398c4dc0c0c07398e"] {
        end(&world, &routes::session(wrong), &ops).await.refused(404, "session_unknown");
    }
    end(&world, &routes::session("mine"), &ops).await.refused(400, "invalid_parameter");
    world.unchanged(&before).await;
    goes_on(&world, &mine).await;
}

#[tokio::test]
async fn more_than_100_sessions_that_end_within_minutes_end_all() {
    let world = World::start().await;
    let (first, last) = (login(&world).await, login(&world).await);
    for ended in 1..=101 {
        goes_on(&world, &first).await;
        let session = login(&world).await;
        let current = routes::session("current");
        end(&world, &current, &session.field("access")).await.is(204);
        is_over(&world, &session).await;
        let remembered = world.get(routes::LIST_FILES, &last.field("access")).await;
        assert_eq!(remembered.status.as_u16(), if ended <= 100 { 200 } else { 401 }, "{ended}");
    }
    is_over(&world, &first).await;
}
