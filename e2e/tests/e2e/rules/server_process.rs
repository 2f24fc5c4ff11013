//! Starting and stopping the server.

use share_e2e::World;
use tempfile::TempDir;

use crate::SERVER;

#[test]
fn a_second_server_on_the_same_folder_is_refused_and_says_why() {
    let data = TempDir::new().unwrap();
    let _first = SERVER.start(data.path());
    let second = SERVER.run(&["--listen", "127.0.0.1:0"], data.path());
    assert_eq!(second.code, Some(1));
    assert!(second.err.contains("another server is using the data folder"), "{}", second.err);
    assert_eq!(second.err.lines().count(), 1, "{}", second.err);
}

#[test]
fn a_port_in_use_is_named() {
    let (first, second) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let server = SERVER.start(first.path());
    let refused = SERVER.run(&["--listen", server.address()], second.path());
    assert_eq!(refused.code, Some(1));
    let message = format!("cannot listen on {}", server.address());
    assert!(refused.err.contains(&message), "{}", refused.err);
}

#[test]
fn accounts_with_well_known_passwords_are_never_served_beyond_this_machine() {
    let data = TempDir::new().unwrap();
    drop(SERVER.start(data.path()));
    let refused = SERVER.run(&["--listen", "0.0.0.0:0"], data.path());
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("well-known passwords"), "{}", refused.err);
}

#[tokio::test]
async fn a_data_folder_of_another_version_is_refused_with_what_to_do() {
    let world = World::start().await;
    world.store.create_unknown_table("TokensTable").await;
    let data = world.stop().await;
    let refused = SERVER.run(&["--listen", "127.0.0.1:0"], data.path());
    assert_eq!(refused.code, Some(1));
    for part in ["another version", "TokensTable", "delete the data folder"] {
        assert!(refused.err.contains(part), "{part}: {}", refused.err);
    }
}

#[test]
fn ctrl_c_stops_the_server_with_exit_code_0() {
    let data = TempDir::new().unwrap();
    let (code, _) = SERVER.start(data.path()).interrupt();
    assert_eq!(code, Some(0));
}

#[test]
fn a_server_whose_links_would_live_longer_than_permitted_does_not_start_and_says_why() {
    for (name, lifetime, longest) in [
        ("LINK_TTL_SECONDS", "61", "60"),
        ("LINK_TTL_SECONDS", "59", "60"),
        ("LINK_MAX_TTL_SECONDS", "60", "604801"),
        ("LINK_MAX_TTL_SECONDS", "60", "a week"),
    ] {
        let data = TempDir::new().unwrap();
        let variables = [("LINK_TTL_SECONDS", lifetime), ("LINK_MAX_TTL_SECONDS", longest)];
        let refused = SERVER.run_with(&variables, &["--listen", "127.0.0.1:0"], data.path());
        assert_eq!(refused.code, Some(1), "{}", refused.err);
        let message = format!("{name} must");
        assert!(refused.err.contains(&message), "{lifetime}, {longest}: {}", refused.err);
    }
}
