//! `GET /api/admin/users/{id}/limits`.

use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::scene::second;
use share_e2e::{Scene, World, routes};
use share_model::limits::{
    DOWNLOAD_MAILS, EMAIL_CHANGE_MAILS, EMAIL_CHANGES, FILE_MAILS, GUESSES_OF_CODE,
    GUESSES_OF_NAME, INVITATION_MAILS, LINKS, RESET_MAILS, SIGNUP_MAILS, UPLOADS,
    VERIFICATION_MAILS,
};

const ADDRESS: &str = "client@example.com";

/// A scene at the beginning of a day, the token of its admin, and the id of its Client.
async fn scene() -> (Scene, String, String) {
    let world = World::start().await;
    world.begin_day();
    let scene = Scene::in_world(world).await;
    let (admin, user) = (scene.token("admin").await, AccessToken::read(&scene.client).user());
    (scene, admin, user)
}

/// What an admin sees of the limits of `user`, each without the end of its window, which is the same
/// for all.
async fn limits(scene: &Scene, admin: &str, user: &str) -> Vec<Value> {
    let answer = scene.get(&routes::limits_of_user(user), admin).await;
    let mut limits = answer.is_json(200).as_array().unwrap().clone();
    for limit in &mut limits {
        let ends_at = limit.as_object_mut().unwrap().remove("ends_at").unwrap();
        assert_eq!(second(&ends_at), LINKS.window_end(scene.now()));
    }
    limits
}

#[tokio::test]
async fn what_is_counted_for_the_id_the_name_and_the_address_of_an_account_is_shown_by_its_kind() {
    let (scene, admin, user) = scene().await;
    let counted = [
        ("wrong_passwords_for_name", &GUESSES_OF_NAME, "client"),
        ("wrong_codes", &GUESSES_OF_CODE, &user),
        ("links", &LINKS, &user),
        ("uploads", &UPLOADS, &user),
        ("address_changes", &EMAIL_CHANGES, &user),
        ("wrong_passwords_for_address", &GUESSES_OF_NAME, ADDRESS),
        ("reset_mails", &RESET_MAILS, ADDRESS),
        ("sign_up_mails", &SIGNUP_MAILS, ADDRESS),
        ("verification_mails", &VERIFICATION_MAILS, ADDRESS),
        ("new_address_mails", &EMAIL_CHANGE_MAILS, ADDRESS),
        ("invitation_mails", &INVITATION_MAILS, ADDRESS),
        ("file_mails", &FILE_MAILS, ADDRESS),
        ("download_mails", &DOWNLOAD_MAILS, ADDRESS),
    ];
    let mut expected = Vec::new();
    for (what, limit, whom) in counted {
        let taken = limit.most - 1;
        scene.store.set_count(limit, whom, taken, scene.now()).await;
        expected.push(json!({"what": what, "taken": taken, "most": limit.most}));
        assert_eq!(limits(&scene, &admin, &user).await, expected, "{what}");
    }
    scene.begin_day();
    let admin = scene.token("admin").await;
    assert_eq!(limits(&scene, &admin, &user).await, [] as [Value; 0], "what was counted yesterday");
}

#[tokio::test]
async fn a_limit_is_in_force_from_the_first_time_on_and_only_for_its_own_account() {
    let (scene, admin, user) = scene().await;
    assert_eq!(limits(&scene, &admin, &user).await, [] as [Value; 0]);
    scene.plain_link().await;
    let api = scene.from("127.0.0.2");
    let login = async |password| api.login("client", ("username", "client"), password).await;
    login("local-client-password").await.is(200); // is counted, and then given back
    let links = json!({"what": "links", "taken": 1, "most": 10_000});
    assert_eq!(limits(&scene, &admin, &user).await, std::slice::from_ref(&links));
    login("a wrong password").await.refused(401, "invalid_credentials");
    let wrong = json!({"what": "wrong_passwords_for_name", "taken": 1, "most": 100});
    assert_eq!(limits(&scene, &admin, &user).await, [wrong, links]);
    let ops = AccessToken::read(&scene.ops).user();
    let uploads = json!({"what": "uploads", "taken": 1, "most": 10_000});
    assert_eq!(limits(&scene, &admin, &ops).await, [uploads]);
}

#[tokio::test]
async fn it_is_said_when_what_is_refused_now_can_be_done_again() {
    let (scene, admin, user) = scene().await;
    scene.store.set_count(&LINKS, &user, LINKS.most, scene.now()).await;
    scene.store.set_count(&RESET_MAILS, ADDRESS, RESET_MAILS.most, scene.now()).await;
    // Alone it refuses nobody.
    scene.store.set_count(&GUESSES_OF_NAME, ADDRESS, 1000, scene.now()).await;
    let waits = async |admin: &str| {
        let limits = limits(&scene, admin, &user).await;
        let wait = |limit: &Value| (limit["what"].clone(), limit.get("retry_after").cloned());
        limits.iter().map(wait).collect::<Vec<_>>()
    };
    let left = LINKS.window_end(scene.now()) - scene.now().as_second();
    assert_eq!(
        waits(&admin).await,
        [
            (json!("links"), Some(json!(left))),
            (json!("wrong_passwords_for_address"), None),
            (json!("reset_mails"), Some(json!(45 * 60))),
        ]
    );
    scene.pass(45 * 60);
    let admin = scene.token("admin").await;
    assert_eq!(waits(&admin).await[2], (json!("reset_mails"), None));
}

#[tokio::test]
async fn nothing_is_shown_of_an_account_that_does_not_exist_and_nothing_is_written() {
    let (scene, admin, user) = scene().await;
    let before = scene.stored().await;
    let nobody = routes::limits_of_user("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    scene.get(&nobody, &admin).await.refused(404, "user_unknown");
    limits(&scene, &admin, &user).await;
    scene.unchanged(&before).await;
}
