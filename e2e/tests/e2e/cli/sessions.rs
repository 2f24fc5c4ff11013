//! A session goes on: access tokens end, and a refresh token is good once.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use share_e2e::api::local_password;
use share_e2e::command::{Machine, Running};
use share_e2e::proxy::Proxy;
use share_e2e::{World, routes};

use crate::SHARE;

/// For longer than an access token lives.
const LIFETIME: i64 = 15 * 60 + 1;
const REFRESH: &str = "POST /api/sessions/refresh";

/// A service whose requests with the mark of a refresh pass a proxy, and a Client's session there.
async fn session() -> (World, Proxy, Machine) {
    let world = World::start().await;
    let proxy = Proxy::start(&world.base, REFRESH).await;
    let machine = Machine::new(SHARE);
    machine.log_in(&[&proxy.url], "client", &local_password("client")).await.is(0);
    (world, proxy, machine)
}

fn file(machine: &Machine) -> PathBuf {
    machine.settings().join("session-default.json")
}

fn kept(machine: &Machine) -> Value {
    serde_json::from_str(&fs::read_to_string(file(machine)).unwrap()).unwrap()
}

/// Lets the access token end, by the clock of the service and by that of the machine.
fn end_access(world: &World, machine: &Machine) {
    world.pass(LIFETIME);
    let mut kept = kept(machine);
    kept["access_ends"] = json!(0);
    fs::write(file(machine), kept.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_has_ended_is_renewed_without_asking() {
    let (world, proxy, machine) = session().await;
    let before = kept(&machine);
    end_access(&world, &machine);
    machine.run(&["whoami"]).await.is(0).shows("client <");
    let after = kept(&machine);
    assert_ne!((&after["access"], &after["refresh"]), (&before["access"], &before["refresh"]));
    machine.run(&["whoami"]).await.is(0);
    assert_eq!(proxy.seen(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_token_that_has_ended_for_the_service_alone_is_renewed_too() {
    let (world, proxy, machine) = session().await;
    world.pass(LIFETIME);
    machine.run(&["whoami"]).await.is(0).shows("client <");
    machine.run(&["whoami"]).await.is(0).shows("client <");
    assert_eq!(proxy.seen(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_commands_at_once_one_refreshes_and_all_succeed() {
    let (world, proxy, machine) = session().await;
    for ends in [end_access, |world: &World, _: &Machine| world.pass(LIFETIME)] {
        let before = proxy.seen();
        ends(&world, &machine);
        proxy.hold();
        let commands: Vec<_> = (0..4).map(|_| machine.start(&["whoami"])).collect();
        proxy.held().await;
        proxy.release();
        for command in commands {
            command.end().await.is(0).shows("client <");
        }
        assert_eq!(proxy.seen(), before + 1);
        machine.run(&["whoami"]).await.is(0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_refresh_does_not_end_the_session() {
    let (world, proxy, machine) = session().await;
    end_access(&world, &machine);
    proxy.lose(1);
    machine.run(&["whoami"]).await.is(0).shows("client <");
    assert_eq!((proxy.left(), proxy.seen()), (0, 2));
    // Also when the command gives up, and the next one asks again.
    end_access(&world, &machine);
    proxy.lose(2);
    machine.run(&["whoami"]).await.fails(6, "did not answer");
    machine.run(&["whoami"]).await.is(0).shows("client <");
    end_access(&world, &machine);
    machine.run(&["whoami"]).await.is(0).shows("client <");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_killed_while_it_refreshes_does_not_end_the_session() {
    let (world, proxy, machine) = session().await;
    end_access(&world, &machine);
    proxy.halt_at(1);
    let command = machine.start(&["whoami"]);
    proxy.halted().await;
    command.kill();
    proxy.halt_at(0);
    machine.run(&["whoami"]).await.is(0).shows("client <");
    end_access(&world, &machine);
    machine.run(&["whoami"]).await.is(0).shows("client <");
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_full_disk_a_session_is_not_used_up() {
    let (world, proxy, machine) = session().await;
    end_access(&world, &machine);
    let before = kept(&machine);
    // No byte can be written to a file.
    let command = machine.start_after("trap '' XFSZ; ulimit -f 0", &["whoami"]);
    command.end().await.fails(7, "session-default.json");
    assert_eq!((proxy.seen(), kept(&machine)), (0, before));
    machine.run(&["whoami"]).await.is(0).shows("client <");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_was_ended_elsewhere_says_how_to_log_in() {
    let (_world, _proxy, machine) = session().await;
    machine.run(&["sessions", "--end-all"]).await.is(0);
    machine.run(&["whoami"]).await.fails(3, "Log in with: share login");
    // Whoever logs out has no secrets here any more.
    machine.run(&["logout"]).await.is(0).shows("Logged out.");
    assert!(!file(&machine).exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_several_sessions_can_be_ended() {
    let world = World::start().await;
    let here = Machine::logged_in(SHARE, &world, "client").await;
    let there = Machine::logged_in(SHARE, &world, "client").await;
    let sessions = here.run(&["sessions", "--json"]).await.json();
    let sessions = sessions.as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|it| it["current"] == false).unwrap();
    here.run(&["sessions", "--end", other["id"].as_str().unwrap()]).await.is(0);
    there.run(&["whoami"]).await.fails(3, "share login");
    here.run(&["whoami"]).await.is(0);
    let unknown = "00000000-0000-7000-8000-000000000000";
    here.run(&["sessions", "--end", unknown]).await.is(4);
}

/// Ops of a service whose requests with a form can be held, and the upload of 20 files that is held there.
async fn uploading(world: &World, machine: &Machine) -> (Proxy, Running) {
    let proxy = Proxy::start(&world.base, "POST /api/files/upload HTTP").await;
    machine.log_in(&[&proxy.url], "ops", &local_password("ops")).await.is(0);
    for number in 0..20 {
        machine.write(&format!("files/{number}.csv"), b"a,b\n");
    }
    proxy.hold();
    let upload = machine.start(&["upload", "files", "--recursive"]);
    proxy.held().await;
    (proxy, upload)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_on_when_its_session_ends_and_another_of_the_account_is_there() {
    for logs_in in [true, false] {
        let (world, machine) = (World::start().await, Machine::new(SHARE));
        let (proxy, upload) = uploading(&world, &machine).await;
        if logs_in {
            machine.log_in(&[&proxy.url], "ops", &local_password("ops")).await.is(0);
        } else {
            world.pass(LIFETIME);
        }
        proxy.release();
        upload.end().await.is(0);
        let ops = world.token("ops").await;
        assert_eq!(world.names_listed(routes::LIST_UPLOADED, &ops).await.len(), 20, "{logs_in}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_does_not_go_on_as_another_account_that_has_logged_in_meanwhile() {
    let (world, machine) = (World::start().await, Machine::new(SHARE));
    let (proxy, upload) = uploading(&world, &machine).await;
    machine.log_in(&[&proxy.url], "admin", &local_password("admin")).await.is(0);
    proxy.release();
    upload.end().await.fails(3, "Nobody is logged in");
    let ops = world.token("ops").await;
    assert_eq!(world.names_listed(routes::LIST_UPLOADED, &ops).await, [""; 0]);
    machine.run(&["whoami"]).await.is(0).shows("admin <");
}
