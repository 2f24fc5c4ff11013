//! An account that is disabled, changed or deleted: what counts is its record at the time of the
//! request, not its access token.

use share_e2e::access_token::AccessToken;
use share_e2e::routes::{self, PROTECTED, is_allowed_and_refused, is_for};
use share_e2e::{Scene, send};

#[tokio::test]
async fn a_disabled_account_is_refused_at_once_and_its_links_work_again_once_it_is_enabled() {
    let scene = Scene::start().await;
    let (world, targets) = (&scene.world, scene.targets().await);
    let users = [&scene.ops, &scene.client].map(|token| AccessToken::read(token).user());
    for user in &users {
        world.store.set_active(user, false).await;
    }
    let before = world.stored().await;
    for (method, path, role) in PROTECTED {
        let token = if role == "ops" { &scene.ops } else { &scene.client };
        let answer = send(scene.call(method, path, &targets).bearer_auth(token)).await;
        answer.refused(403, "account_disabled");
    }
    for (role, other_route) in [("client", "ops"), ("ops", "client")] {
        let (right, email) = (format!("local-{role}-password"), format!("{role}@example.com"));
        for who in [("username", role), ("email", email.as_str())] {
            let answer = world.login(role, who, &right).await;
            answer.refused(403, "account_disabled");
            let answer = world.login(role, who, "another password").await;
            answer.refused(401, "invalid_credentials");
            let answer = world.login(other_route, who, &right).await;
            answer.refused(401, "invalid_credentials");
        }
    }
    for _ in 0..2 {
        world.open(&targets.link.url).await.refused(410, "link_revoked");
    }
    world.unchanged(&before).await;

    for user in &users {
        world.store.set_active(user, true).await;
    }
    world.get(routes::LIST_FILES, &scene.client).await.is(200);
    world.open(&targets.link.url).await.is_whole();
}

#[tokio::test]
async fn a_changed_role_counts_from_the_next_request_on() {
    let scene = Scene::start().await;
    let (world, targets) = (&scene.world, scene.targets().await);
    let user = AccessToken::read(&scene.client).user();
    for role in ["ops", "client", "admin"] {
        world.store.set_role(&user, role).await;
        let (own, other) = if role == "client" { ("client", "ops") } else { ("ops", "client") };
        let (who, password) = (("username", "client"), "local-client-password");
        for (method, path, _) in PROTECTED {
            // Would end the session of the token that the others are tried with.
            if (method, path) == ("DELETE", routes::SESSIONS) {
                continue;
            }
            let token = if path.starts_with(routes::SESSIONS) {
                world.login(own, who, password).await.is(200).field("access")
            } else {
                scene.client.clone()
            };
            let answer = send(scene.call(method, path, &targets).bearer_auth(token)).await;
            if is_for(method, path, role) {
                // Ops see nothing of what others have uploaded.
                let code = answer.code();
                let served = answer.status.is_success()
                    || is_allowed_and_refused(path, &code)
                    || (role == "ops" && ["file_unknown", "upload_unknown"].contains(&&*code));
                assert!(served, "{method} {path} as {role}: {answer:?}");
            } else {
                answer.refused(403, "wrong_role");
            }
        }
        let answer = world.login(own, who, password).await;
        assert_eq!(answer.status, 200, "{role}: {answer:?}");
        assert_eq!(AccessToken::read(&answer.field("access")).role(), role);
        let answer = world.login(other, who, password).await;
        answer.refused(401, "invalid_credentials");
    }
}

#[tokio::test]
async fn a_deleted_account_is_refused_everywhere_and_its_links_are_revoked() {
    let scene = Scene::start().await;
    let (world, targets) = (&scene.world, scene.targets().await);
    let user = AccessToken::read(&scene.client).user();
    world.store.delete_account(&user, "client", "client@example.com").await;
    let before = world.stored().await;
    for (method, path, _) in PROTECTED {
        let answer = send(scene.call(method, path, &targets).bearer_auth(&scene.client)).await;
        answer.refused(401, "invalid_token");
    }
    for who in [("username", "client"), ("email", "client@example.com")] {
        let answer = world.login("client", who, "local-client-password").await;
        answer.refused(401, "invalid_credentials");
    }
    world.open(&targets.link.url).await.refused(410, "link_revoked");
    world.unchanged(&before).await;
}
