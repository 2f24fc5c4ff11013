//! `create-account`, which no route leads to.

use reqwest::Method;
use serde_json::{Map, json};
use share_e2e::{World, routes, send};
use tempfile::TempDir;

use crate::SERVER;

#[tokio::test(flavor = "multi_thread")]
async fn an_account_created_at_the_command_line_sets_its_password_and_logs_in() {
    let data = TempDir::new().unwrap();
    let create = |name: &str, address: &str| {
        let finished = SERVER.run(&["create-account", name, address], data.path());
        (finished.code, finished.out + &finished.err)
    };
    let (code, output) = create("olga", "olga@example.org");
    assert_eq!(code, Some(0), "{output}");
    let link = output.split_whitespace().find(|word| word.contains("set-password")).unwrap();
    let token = share_e2e::scene::token_of(link);
    assert!(link.ends_with(&routes::set_password(token)), "{link}");
    for (name, address, reason) in [
        ("Olga", "other@example.org", "the username is taken"),
        ("other", "olga@example.org", "the e-mail address has an account"),
        ("x", "nowhere", "username must be 2 to 64 characters"),
    ] {
        let (code, output) = create(name, address);
        assert_eq!(code, Some(1));
        assert!(output.contains(reason), "{output}");
    }
    let server = SERVER.start(data.path());
    let password = json!({"password": "a password of my own"});
    let set =
        || send(server.api.request(Method::POST, &routes::set_password(token)).json(&password));
    set().await.is(200);
    set().await.refused(410, "invitation_used");
    let answer = server.api.login("ops", ("username", "olga"), "a password of my own").await;
    answer.is(200);
}

#[tokio::test]
async fn a_running_server_can_be_told_to_create_an_account() {
    let world = World::start().await;
    let input = [("username", "olga"), ("email", "olga@example.org"), ("role", "ops")];
    let input: Map<_, _> =
        input.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
    let created = world.server.invoke_job("CreateAccount", input.clone()).await.unwrap();
    assert_eq!(created["username"], "olga");
    let again = world.server.invoke_job("CreateAccount", input).await.unwrap_err();
    assert_eq!(again.to_string(), "the username is taken");
    assert!(world.server.invoke_job("ListFiles", Map::new()).await.is_err(), "it has a route");
}
