//! Logins: what is asked for, and where the session is kept.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use share_e2e::api::local_password;
use share_e2e::command::{Machine, Typed, names_in};
use share_e2e::origin::{Origin, status};
use share_e2e::proxy::Proxy;
use share_e2e::{World, routes};

use crate::SHARE;

const SESSION: &str = "session-default.json";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_asks_for_name_and_password_and_says_where_the_session_is_kept() {
    let world = World::start().await;
    let machine = Machine::new(SHARE);
    let password = local_password("client");
    let ended = machine.log_in(&[&world.base], "client", &password).await;
    ended.is(0).shows("address: client").shows("Logged in as client (client)");
    assert!(!ended.out.contains(&password), "{ended}");
    let session = machine.settings().join(SESSION);
    ended.shows(&format!("The session is kept in the file {}", session.display()));
    assert_eq!((mode(&session), mode(&machine.settings())), (0o600, 0o700));
    let whoami = machine.run(&["whoami"]).await;
    whoami.is(0).shows("client <").shows(">, client, at ").shows(&world.base);
    for file in names_in(&machine.settings()) {
        let text = fs::read_to_string(machine.settings().join(file)).unwrap();
        assert!(!text.contains(&password));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_refused_and_nothing_is_kept() {
    let world = World::start().await;
    let machine = Machine::new(SHARE);
    let ended = machine.log_in(&[&world.base], "client", "not the password").await;
    ended.is(3).shows("share: ").shows("invalid_credentials");
    assert_eq!(names_in(&machine.settings()), [""; 0]);
    machine.run(&["whoami"]).await.fails(3, "Log in with: share login");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_terminal_nothing_is_asked_for() {
    let world = World::start().await;
    let machine = Machine::new(SHARE);
    for arguments in [&["login", &world.base][..], &["login", &world.base, "-u", "client"]] {
        let input = format!("client\n{}\n", local_password("client"));
        let ended = machine.run_with_input(arguments, input.as_bytes()).await;
        ended.fails(2, "set SHARE_URL and SHARE_TOKEN");
    }
    machine.run(&["login"]).await.fails(2, "share login https://files.example.com");
    assert_eq!(names_in(&machine.settings()), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_a_second_factor_is_asked_for_its_code() {
    let world = World::start().await;
    let (ops, password) = (world.token("ops").await, local_password("ops"));
    let factor = world.enrol(&ops, &password).await;
    let machine = Machine::new(SHARE);
    let log_in = async |code: &str| {
        let typed = [
            Typed::Shown("address: ", "ops"),
            Typed::Hidden(": ", &password),
            Typed::Hidden("recovery code: ", code),
        ];
        machine.type_into(&["login", &world.base], &typed).await
    };
    log_in(&factor.app.wrong_code(world.now())).await.is(3).shows("share: ");
    assert_eq!(names_in(&machine.settings()), [""; 0]);
    for code in [&factor.app.code(world.now()), &factor.codes[0]] {
        let ended = log_in(code).await;
        ended.is(0).shows("Logged in as ops (ops)");
        assert!(!ended.out.contains(code.as_str()), "{ended}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_ends_the_session_here_and_at_the_service() {
    let world = World::start().await;
    let machine = Machine::logged_in(SHARE, &world, "client").await;
    let kept = fs::read_to_string(machine.settings().join(SESSION)).unwrap();
    let kept: Value = serde_json::from_str(&kept).unwrap();
    machine.run(&["sessions"]).await.is(0).shows("(this one)");
    machine.run(&["logout"]).await.is(0).shows("Logged out.");
    let refresh = json!({"refresh": kept["refresh"]});
    assert_eq!(world.post(routes::REFRESH, &refresh).await.status, 401);
    assert!(!machine.settings().join(SESSION).exists());
    machine.run(&["whoami"]).await.fails(3, "Nobody is logged in");
    machine.run(&["logout"]).await.fails(3, "Nobody is logged in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_without_a_service_leaves_no_secret_here() {
    let world = World::start().await;
    let machine = Machine::logged_in(SHARE, &world, "client").await;
    world.stop().await;
    machine.run(&["logout"]).await.fails(6, "It is forgotten here");
    assert!(!machine.settings().join(SESSION).exists());
    machine.run(&["whoami"]).await.fails(3, "Nobody is logged in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_the_session_of_the_one_before() {
    let world = World::start().await;
    let machine = Machine::logged_in(SHARE, &world, "client").await;
    let log_in = async |role: &str| {
        let ended = machine.log_in(&[&world.base], role, &local_password(role)).await;
        assert!(!ended.is(0).out.contains("has not been ended"), "{ended}");
    };
    let client = world.token("client").await;
    let sessions =
        async || world.get(routes::SESSIONS, &client).await.is_json(200).as_array().unwrap().len();
    assert_eq!(sessions().await, 2);
    log_in("client").await;
    assert_eq!(sessions().await, 2);
    // Also one whose access token has ended, and also for another account.
    let path = machine.settings().join(SESSION);
    let mut kept: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    kept["access_ends"] = json!(0);
    fs::write(&path, kept.to_string()).unwrap();
    log_in("ops").await;
    assert_eq!(sessions().await, 1);
    machine.run(&["whoami"]).await.is(0).shows("ops <");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_first_logins_at_once_one_session_is_left() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "GET /api/account").await;
    let machine = Arc::new(Machine::new(SHARE));
    proxy.hold();
    let logins = [(); 2].map(|()| {
        let (machine, url) = (Arc::clone(&machine), proxy.url.clone());
        tokio::spawn(
            async move { machine.log_in(&[&url], "client", &local_password("client")).await },
        )
    });
    proxy.held_at_once(2).await;
    proxy.release();
    for login in logins {
        login.await.unwrap().is(0);
    }
    machine.run(&["whoami"]).await.is(0).shows("client <");
    let client = world.token("client").await;
    let sessions = world.get(routes::SESSIONS, &client).await.is_json(200);
    assert_eq!(sessions.as_array().unwrap().len(), 2, "that of the test is the other one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_cannot_be_kept_leaves_no_session_at_the_service() {
    let world = World::start().await;
    let machine = Machine::new(SHARE);
    // Nothing is there that could be read, and nothing can be written.
    fs::create_dir(machine.settings().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/nonexistent/folder", machine.settings()).unwrap();
    let ended = machine.log_in(&[&world.base], "client", &local_password("client")).await;
    ended.is(7).shows("Password of client").shows("secure-file-share: ");
    let client = world.token("client").await;
    let sessions = world.get(routes::SESSIONS, &client).await.is_json(200);
    assert_eq!(sessions.as_array().unwrap().len(), 1, "that of the token");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_whose_predecessor_cannot_be_ended_says_so() {
    let (first, second) = tokio::join!(World::start(), World::start());
    let machine = Machine::logged_in(SHARE, &first, "client").await;
    first.stop().await;
    let ended = machine.log_in(&[&second.base], "ops", &local_password("ops")).await;
    ended.is(0).shows("Logged in as ops").shows("has not been ended: The service did not answer");
    machine.run(&["whoami"]).await.is(0).shows("ops <");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_runs_goes_on_with_the_session_of_a_login_meanwhile() {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "GET /api/files/list").await;
    let machine = Machine::new(SHARE);
    let password = local_password("client");
    machine.log_in(&[&proxy.url], "client", &password).await.is(0);
    proxy.hold();
    let command = machine.start(&["ls"]);
    proxy.held().await;
    machine.log_in(&[&proxy.url], "client", &password).await.is(0);
    proxy.release();
    command.end().await.is(0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 9)]
async fn of_several_logins_at_once_none_loses_another() {
    const PROFILES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, "GET /api/account").await;
    let machine = Arc::new(Machine::new(SHARE));
    proxy.hold();
    let logins = PROFILES.map(|profile| {
        let (machine, url) = (Arc::clone(&machine), proxy.url.clone());
        tokio::spawn(async move {
            let arguments = ["--profile", profile, &url];
            machine.log_in(&arguments, "client", &local_password("client")).await
        })
    });
    // After this answer a login writes what it keeps.
    proxy.held_at_once(PROFILES.len()).await;
    proxy.release();
    for login in logins {
        login.await.unwrap().is(0);
    }
    let profiles = fs::read(machine.settings().join("profiles.json")).unwrap();
    let profiles: Value = serde_json::from_slice(&profiles).unwrap();
    assert_eq!(profiles.as_object().unwrap().keys().collect::<Vec<_>>(), PROFILES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_is_a_login_beside_another() {
    let (first, second) = tokio::join!(World::start(), World::start());
    let machine = Machine::logged_in(SHARE, &first, "client").await;
    let arguments = ["--profile", "test", &second.base];
    machine.log_in(&arguments, "ops", &local_password("ops")).await.is(0);
    machine.run(&["whoami"]).await.is(0).shows("client <").shows(&first.base);
    machine.run(&["whoami", "--profile", "test"]).await.is(0).shows("ops <").shows(&second.base);
    machine.run(&["logout", "--profile", "test"]).await.is(0);
    let ended = machine.run(&["whoami", "--profile", "test"]).await;
    ended.fails(3, "Nobody is logged in").says("Log in with: share login --profile test\n");
    machine.run(&["whoami"]).await.is(0).shows("client <");
    machine.log_in(&arguments, "ops", &local_password("ops")).await.is(0);
    machine.run(&["sessions", "--end-all", "--profile", "test"]).await.is(0);
    let ended = machine.run(&["whoami", "--profile", "test"]).await;
    ended.fails(3, "session").says("Log in with: share login --profile test\n");
    machine.run(&["whoami", "--profile", "../x"]).await.fails(2, "hyphens");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_gives_address_and_token_in_its_environment() {
    let world = World::start().await;
    let mut machine = Machine::of(SHARE, &world, "client").await;
    machine.run(&["whoami"]).await.is(0).shows("client <");
    assert_eq!(names_in(&machine.settings()), [""; 0], "nothing is kept");
    machine.set("SHARE_TOKEN", "not-a-token");
    machine.run(&["whoami"]).await.fails(3, "token").says("Set SHARE_TOKEN anew.");
    // As it comes from a file.
    machine.set("SHARE_TOKEN", &format!("{}\n", world.token("client").await));
    machine.run(&["whoami"]).await.is(0).shows("client <");
    for no_token in ["a b", "ü", " ", "a\nb"] {
        machine.set("SHARE_TOKEN", no_token);
        machine.run(&["whoami"]).await.fails(2, "SHARE_TOKEN holds something that is no token");
    }
    let mut machine = Machine::new(SHARE);
    machine.set("SHARE_TOKEN", &world.token("client").await);
    machine.run(&["whoami"]).await.fails(2, "Set SHARE_URL beside SHARE_TOKEN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_never_goes_to_another_address_than_that_of_its_login() {
    let world = World::start().await;
    let strange = Origin::start(|_| vec![status("404 Not Found", "")]).await;
    let mut machine = Machine::logged_in(SHARE, &world, "client").await;
    machine.write("a.txt", b"a");
    let url = strange.url("");
    for arguments in [&["ls"][..], &["whoami"], &["upload", "a.txt"], &["get", "a"], &["logout"]] {
        let ended = machine.run(&[arguments, &["--url", &url]].concat()).await;
        ended.fails(3, "is of another service");
    }
    machine.set("SHARE_URL", &strange.url("/api"));
    machine.run(&["whoami"]).await.fails(3, "Unset SHARE_URL");
    assert_eq!(strange.asked().len(), 0);
    machine.set("SHARE_URL", &world.base);
    machine.run(&["whoami"]).await.is(0).shows("client <");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_this_machine_is_asked_without_a_proxy() {
    let world = World::start().await;
    let proxy = Origin::start(|_| vec![status("404 Not Found", "")]).await;
    let mut machine = Machine::of(SHARE, &world, "client").await;
    machine.set("HTTP_PROXY", &proxy.url(""));
    machine.run(&["whoami"]).await.is(0).shows("client <");
    assert_eq!(proxy.asked().len(), 0);
}

#[tokio::test]
async fn the_password_of_a_proxy_is_not_printed() {
    let mut machine = Machine::new(SHARE);
    machine.set("SHARE_URL", "https://files.example.com");
    machine.set("SHARE_TOKEN", "token");
    let refuses = Origin::start(|_| vec![status("407 Proxy Authentication Required", "")]).await;
    // Nobody listens at the first one.
    for proxy in ["127.0.0.1:1", &refuses.host] {
        machine.set("HTTPS_PROXY", &format!("http://name:secret@{proxy}"));
        for arguments in [&["whoami"][..], &["whoami", "--json"]] {
            let ended = machine.run(arguments).await;
            ended.fails(6, "HTTPS_PROXY");
            assert!(!ended.err.contains("secret"), "{ended}");
        }
    }
    assert!(refuses.asked()[0].header("proxy-authorization").starts_with("Basic "));
}

#[tokio::test]
async fn an_address_that_is_not_encrypted_is_refused() {
    let machine = Machine::new(SHARE);
    for (url, reason) in [
        ("http://files.example.com", "is not encrypted"),
        ("http://127.0.0.1.example.com", "is not encrypted"),
        ("http://10.0.0.1", "is not encrypted"),
        ("ftp://localhost", "is not encrypted"),
        ("files.example.com", "https://"),
        ("https://name:sesame@files.example.com", "holds more than an address"),
        ("https://files.example.com/?token=sesame", "holds more than an address"),
        ("https://files.example.com/#token=sesame", "holds more than an address"),
        ("name:sesame@files.example.com", "names no host"),
        ("//name:sesame@files.example.com", "is not the address of a service"),
        ("mailto:sesame@files.example.com", "names no host"),
    ] {
        for arguments in [&["login", url][..], &["ls", "--url", url]] {
            let ended = machine.run(arguments).await;
            ended.fails(2, reason);
            assert!(!ended.err.contains("sesame"), "{ended}");
        }
    }
}
