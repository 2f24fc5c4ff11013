//! `DELETE /api/account` and `DELETE /api/admin/users/{id}`, and the job that erases what is left.

use base64::prelude::{BASE64_STANDARD, Engine};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Map, Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::api::{local_password, password_for};
use share_e2e::scene::Scene;
use share_e2e::store::Snapshot;
use share_e2e::{Answer, World, routes, send};

use crate::SERVER;

async fn delete(world: &World, token: &str, password: &str) -> Answer {
    let request = world.request(Method::DELETE, routes::ACCOUNT).bearer_auth(token);
    send(request.json(&json!({"password": password}))).await
}

async fn delete_user(world: &World, token: &str, user: &str) -> Answer {
    send(world.request(Method::DELETE, &routes::user(user)).bearer_auth(token)).await
}

async fn job(world: &World) -> Value {
    world.server.invoke_job("EraseAccounts", Map::new()).await.unwrap()
}

/// What still has this text, as it is or encoded: every attribute of every table, and the objects.
fn left(stored: &Snapshot, text: &str) -> Vec<String> {
    // Base64 is in groups of three bytes, and the text may begin at any of them; what the bytes
    // around it are decides the characters at its ends.
    let encoded = (0..3).map(|skipped| {
        let whole = &text.as_bytes()[skipped..];
        BASE64_STANDARD.encode(&whole[..whole.len() / 3 * 3])
    });
    let bytes = format!("{:?}", text.as_bytes());
    let forms = encoded.chain([bytes.trim_matches(['[', ']']).to_owned(), text.to_owned()]);
    forms.flat_map(|form| stored.mentions(&form.to_lowercase())).collect()
}

/// A Client called rosalind who has used everything that an account leaves traces in.
async fn busy_client(scene: &Scene) -> (String, String) {
    let client = scene.another_client("rosalind").await;
    scene.world.link_with(&scene.file, &client, &json!({"note": "rosalind's own"})).await;
    let (admin, user) = (scene.token("admin").await, AccessToken::read(&client).user());
    let group = json!({"name": "partners"});
    scene.post_as(routes::GROUPS, &admin, &group).await.is(201);
    let member = routes::member("partners", &user);
    send(scene.request(Method::PUT, &member).bearer_auth(&admin)).await.is(204);
    let to = json!({"email": "rosalind@example.net", "password": password_for("rosalind")});
    scene.post_as(routes::EMAIL, &client, &to).await.is(202);
    let recipients = json!({"recipients": ["rosalind", "rosalind@example.org", "client"]});
    let path = routes::file(&scene.file);
    let change = scene.world.request(Method::PATCH, &path).bearer_auth(&scene.ops);
    send(change.json(&recipients)).await.is(200);
    (client, user)
}

#[tokio::test]
async fn of_an_account_that_is_deleted_no_table_has_the_name_or_the_address() {
    let scene = Scene::start().await;
    let (client, user) = busy_client(&scene).await;
    assert!(left(&scene.stored().await, "rosalind").len() >= 6, "there are traces");
    delete(&scene, &client, &password_for("rosalind")).await.is_empty(204);
    let stored = scene.stored().await;
    assert_eq!(left(&stored, "rosalind"), [""; 0]);
    scene.get(routes::SESSIONS, &client).await.refused(401, "invalid_token");
    let login = scene.login("client", ("username", "rosalind"), &password_for("rosalind")).await;
    login.refused(401, "invalid_credentials");
    let audit = scene.store.audit_of_user(&user).await;
    assert!(audit.contains(&"user_deleted".to_owned()), "{audit:?}");
    // A minute later not even the note is left that it is to be erased.
    scene.pass(61);
    assert_eq!(job(&scene).await, json!({"erased": 1, "failed": 0}));
    assert_eq!(job(&scene).await, json!({"erased": 0, "failed": 0}));
    let mentions = scene.stored().await.mentions(&user).into_iter();
    let others: Vec<_> = mentions.filter(|it| !it.starts_with("AuditTable")).collect();
    // Its group has not even the id. Of the link and of the token of the sign-up only that is left,
    // until their time is over.
    assert!(others.iter().all(|it| it.starts_with("LinksTable")), "{others:?}");
    scene.another_client("rosalind").await;
}

#[tokio::test]
async fn the_links_of_a_deleted_account_are_revoked_and_their_receipts_still_verify() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"note": "mine"})).await;
    delete(&scene, &scene.client, &local_password("client")).await.is_empty(204);
    scene.world.open(&link.url).await.refused(410, "link_revoked");
    let receipts = scene.receipts().await;
    let events: Vec<_> = receipts.iter().map(|it| it["event"].clone()).collect();
    assert_eq!(events, ["created", "revoked", "erased"]);
    assert_eq!(receipts[0]["username"], "deleted-account");
    assert_eq!(receipts[0]["note"], Value::Null);
    let certificate = scene.get(&routes::certificate(&link.id), &scene.ops).await;
    certificate.is(200);
    let (file, data) = (scene.file.clone(), scene.world.stop().await);
    let verified = SERVER.run(&["verify-receipts", &file], data.path());
    let whole = format!("link {}: receipts 3, all as they were written\n", link.id);
    assert_eq!((verified.code, verified.out), (Some(0), whole));
}

#[tokio::test]
async fn what_an_erased_name_says_cannot_be_changed_unnoticed_nor_be_erased_without_a_receipt() {
    let scene = Scene::start().await;
    let mut cases = Vec::new();
    for (deletes, changes, says) in [
        (
            true,
            json!([{"text": 1, "from": "deleted-account", "to": "somebody", "hash": false}]),
            "receipt 1 has been changed",
        ),
        (
            true,
            json!([{"text": 1, "from": "\"max_downloads\":1", "to": "\"max_downloads\":2",
                "hash": false}]),
            "receipt 1 has been changed",
        ),
        (
            true,
            json!([{"text": 1, "from": "deleted-account", "to": "somebody", "hash": true}]),
            "receipt 1 has been changed",
        ),
        (true, json!([{"delete": "receipt", "number": 3}]), "receipt 1 has been changed"),
        (true, json!([{"set": "record", "note": "another"}]), "another note"),
        (
            false,
            json!([{"text": 1, "from": "\"mine\"", "to": "null", "hash": false}]),
            "receipt 1 has been changed",
        ),
        (false, json!([{"set": "record", "note": "another"}]), "another note"),
    ] {
        let name = format!("client{}", cases.len());
        let client = scene.another_client(&name).await;
        let (file, note) = (scene.some_file().await, json!({"note": "mine"}));
        let link = scene.world.link_with(&file, &client, &note).await;
        if deletes {
            delete(&scene, &client, &password_for(&name)).await.is_empty(204);
        }
        for change in changes.as_array().unwrap() {
            scene.store.tamper(link["id"].as_str().unwrap(), None, change).await;
        }
        cases.push((file, changes, says));
    }
    let data = scene.world.stop().await;
    for (file, changes, says) in cases {
        let verified = SERVER.run(&["verify-receipts", &file], data.path());
        assert_eq!(verified.code, Some(1), "{changes}: {}", verified.out);
        assert!(verified.out.contains(says), "{changes}: {}", verified.out);
    }
}

#[tokio::test]
async fn the_address_that_an_account_had_before_is_not_left_either() {
    let (world, mails) = World::with_mails().await;
    let client = world.token("client").await;
    let body = json!({"email": "new@example.net", "password": local_password("client")});
    world.post_as(routes::EMAIL, &client, &body).await.is(202);
    let token = mails.newest("new@example.net").token(routes::CHANGE_EMAIL).to_owned();
    let page = world.url(&format!("{}?token={token}", routes::CHANGE_EMAIL));
    let proof = json!({"password": local_password("client")});
    send(world.http.post(page).json(&proof)).await.is(200);
    assert!(!left(&world.stored().await, "client@example.com").is_empty(), "it can be undone");
    let client = world.token("client").await;
    delete(&world, &client, &local_password("client")).await.is_empty(204);
    let stored = world.stored().await;
    for address in ["client@example.com", "new@example.net"] {
        assert_eq!(left(&stored, address), [""; 0]);
    }
}

#[tokio::test]
async fn what_a_deleted_ops_account_uploaded_stays_without_its_name() {
    let scene = Scene::start().await;
    let (admin, user) = (scene.token("admin").await, AccessToken::read(&scene.ops).user());
    delete_user(&scene, &admin, &user).await.is_empty(204);
    let files = scene.get(routes::LIST_FILES, &scene.client).await.is_json(200);
    assert_eq!(files[0]["uploaded_by"], "deleted-account");
    let link = scene.plain_link().await;
    scene.world.open(&link.url).await.is_whole();
    scene.get(routes::LIST_UPLOADED, &scene.ops).await.refused(401, "invalid_token");
}

#[tokio::test]
async fn a_wrong_password_or_an_unknown_account_deletes_nothing() {
    let world = World::start().await;
    let (client, admin) = (world.token("client").await, world.token("admin").await);
    let before = world.stored().await;
    delete(&world, &client, "not the password").await.refused(403, "wrong_password");
    let nothing = send(world.request(Method::DELETE, routes::ACCOUNT).bearer_auth(&client)).await;
    nothing.refused(415, "unsupported_media_type");
    delete_user(&world, &admin, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
        .await
        .refused(404, "user_unknown");
    world.unchanged(&before).await;
}

#[tokio::test]
async fn the_last_admin_cannot_be_deleted_and_of_two_who_try_at_once_one_stays() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let before = world.stored().await;
    delete(&world, &admin, &local_password("admin")).await.refused(409, "last_admin");
    delete_user(&world, &admin, &AccessToken::read(&admin).user()).await.refused(409, "last_admin");
    world.unchanged(&before).await;
    let other = world.another_admin("boss").await;
    let (one, two) = (AccessToken::read(&admin).user(), AccessToken::read(&other).user());
    let tries = (0..32).flat_map(|_| [(&admin, &two), (&other, &one)]);
    let answers = join_all(tries.map(|(by, whom)| delete_user(&world, by, whom))).await;
    for answer in &answers {
        let refused = ["last_admin", "invalid_token", "session_revoked", "account_disabled"];
        let told = answer.status == 204 || refused.contains(&&*answer.code());
        assert!(told, "{answer:?}");
    }
    let [admin_left, other_left] =
        [world.get(routes::USERS, &admin).await, world.get(routes::USERS, &other).await];
    let statuses = [admin_left.status.as_u16(), other_left.status.as_u16()];
    assert!(matches!(statuses, [200, 401] | [401, 200]), "{statuses:?}");
}

#[tokio::test]
async fn a_deletion_that_broke_off_is_done_by_the_job() {
    let scene = Scene::start().await;
    let (_, user) = busy_client(&scene).await;
    scene.store.put_erasure(&user, "rosalind@example.org", scene.now()).await;
    assert_eq!(job(&scene).await, json!({"erased": 1, "failed": 0}));
    let stored = left(&scene.stored().await, "rosalind");
    // Closing it would have freed the name and the address.
    let keys = ["name#rosalind", "mail#rosalind", "waiting#rosalind"];
    let reserved = |it: &String| keys.iter().any(|key| it.contains(key));
    assert!(stored.iter().all(reserved), "{stored:?}");
}

#[tokio::test]
async fn an_address_that_was_not_proven_stays_with_the_files_that_are_for_it() {
    let scene = Scene::start().await;
    let path = routes::file(&scene.file);
    let change = scene.request(Method::PATCH, &path).bearer_auth(&scene.ops);
    send(change.json(&json!({"recipients": ["rosalind@example.org"]}))).await.is(200);
    scene.sign_up("rosalind").await; // by whoever knows the address
    let user = scene.store.user_named("rosalind").await;
    let admin = scene.token("admin").await;
    delete_user(&scene, &admin, &user).await.is_empty(204);
    let file = scene.get(&path, &scene.ops).await.is_json(200);
    assert_eq!(file["recipients"], json!(["rosalind@example.org"]));
}
