//! What every other command does.

use serde_json::json;
use share_e2e::command::{Machine, names_in};
use share_e2e::origin::{Asked, Origin, Step, status, whole};
use share_e2e::proxy::Proxy;
use share_e2e::scene::{CHOSEN, DIGITS};
use share_e2e::{Ops, Scene, World, routes};

use crate::SHARE;

async fn all_roles() -> (Scene, Machine, Machine, Machine) {
    let scene = Scene::start().await;
    let of = async |role: &str| Machine::of(SHARE, &scene, role).await;
    let (client, ops, admin) = (of("client").await, of("ops").await, of("admin").await);
    (scene, client, ops, admin)
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_listed_with_tabs_for_a_pipe_and_columns_for_a_person() {
    let (scene, client, ops, _) = all_roles().await;
    scene.upload("zeta.csv", b"a,b\n").await.is(201);
    let listed = client.run(&["ls"]).await;
    let lines: Vec<Vec<_>> =
        listed.is(0).out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2, "{listed}");
    let last = |line: &Vec<&str>| (*line.last().unwrap()).to_owned();
    assert_eq!(lines.iter().map(last).collect::<Vec<_>>(), ["zeta.csv", "digits.txt"]);
    assert_eq!((lines[1][0], lines[1][1], lines[1][3]), (&*scene.file, "10 B", "ops"));
    let by_name = client.run(&["ls", "--sort", "name"]).await;
    assert!(by_name.out.lines().next().unwrap().ends_with("digits.txt"), "{by_name}");
    assert_eq!(client.run(&["ls", "ZETA"]).await.is(0).out.lines().count(), 1);
    assert_eq!(client.run(&["ls", "--limit", "1"]).await.is(0).out.lines().count(), 1);
    assert_eq!(client.run(&["ls", "nothing"]).await.is(0).out, "");
    ops.run(&["ls", "digits"]).await.is(0).shows("\tavailable\t10 B\t");
    let terminal = client.type_into(&["ls"], &[]).await;
    terminal.is(0).shows("ID ").shows("UPLOADED").shows("digits.txt");
    assert!(!terminal.out.contains('\t'), "{terminal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_comes_whole() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    for number in 0..103 {
        ops.file(&format!("{number:03}.txt"), &json!({})).await;
    }
    let machine = Machine::of(SHARE, &world, "client").await;
    let listed = machine.run(&["ls", "--sort", "name"]).await;
    let names: Vec<_> =
        listed.is(0).out.lines().map(|line| line.rsplit('\t').next().unwrap()).collect();
    assert_eq!(names, (0..103).map(|number| format!("{number:03}.txt")).collect::<Vec<_>>());
    assert_eq!(machine.run(&["ls", "--limit", "101"]).await.out.lines().count(), 101);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_page_at_another_address_does_not_get_the_token() {
    let other = Origin::of(b"[]".to_vec()).await;
    let next = format!("Link: <{}>; rel=\"next\"\r\n", other.url("/api/files/list?cursor=x"));
    let service = Origin::start(move |asked: &Asked| -> Vec<Step> {
        let first = !asked.target().contains("cursor");
        let account = json!({"id": "00000000-0000-7000-8000-000000000000", "username": "rosa",
            "email": "rosa@example.com", "role": "client", "second_factor": false,
            "created_at": "2026-01-01T00:00:00.000Z"});
        let body = if asked.target().starts_with("/api/account") { account } else { json!([]) };
        vec![whole(if first { &next } else { "" }, body.to_string().as_bytes())]
    })
    .await;
    let mut machine = Machine::new(SHARE);
    machine.set("SHARE_URL", &service.url(""));
    machine.set("SHARE_TOKEN", "secret-token");
    machine.run(&["ls"]).await.is(0);
    assert_eq!(other.asked().len(), 0);
    assert!(service.asked().iter().any(|it| it.header("authorization") == "Bearer secret-token"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_is_made_listed_and_revoked() {
    let (scene, client, ops, _) = all_roles().await;
    let terms = ["--max", "3", "--expires", "2h", "--bind", "--note", "for Omar"];
    let made = client.run(&[&["link", "digits.txt"], &terms[..]].concat()).await;
    made.is(0).says("It works 3 times, until ");
    let page = made.out.trim().to_owned();
    assert!(page.starts_with(&scene.base), "{made}");
    let listed = client.run(&["links"]).await;
    let line: Vec<_> = listed.is(0).out.trim_end().split('\t').collect();
    assert_eq!((line[1], line[2], line[4], line[5]), ("live", "0 of 3", "digits.txt", "for Omar"));
    let id = line[0].to_owned();
    client.run(&["revoke", &id]).await.is(0).shows(&format!("Revoked {id}."));
    client.run(&["links"]).await.is(0).shows("\trevoked\t");
    client.run_with_input(&["get", "-"], page.as_bytes()).await.is(4);
    client.run(&["revoke", CHOSEN]).await.is(4);
    // As the id of one link in 64 begins.
    let unknown = format!("-{}", &CHOSEN[1..]);
    client.run(&["revoke", &unknown]).await.fails(4, "link_unknown");
    client.run(&["certificate", &unknown]).await.fails(4, "link_unknown");
    client.run(&["revoke", "--jsno"]).await.fails(2, "a similar argument exists: '--json'");
    client.run(&["link", "digits.txt", "--max", "0"]).await.fails(2, "--max");
    client.run(&["link", "digits.txt", "--max", "many"]).await.fails(2, "--max");
    client.run(&["link", "digits.txt", "--expires", "never"]).await.fails(2, "--expires");
    client.run(&["link", "digits.txt", "--note", "a\nb"]).await.fails(2, "note");
    ops.run(&["link", &scene.file]).await.is(3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_checked_without_the_service() {
    let (scene, client, ops, _) = all_roles().await;
    client.run(&["get", "digits.txt"]).await.is(0);
    ops.run(&["receipts", "digits.txt"]).await.is(0).shows("\tredeemed\t");
    let listed = client.run(&["links"]).await;
    let id = listed.out.split('\t').next().unwrap().to_owned();
    for machine in [&client, &ops] {
        let certificate = ["certificate", "-o", "a.jwt", &id];
        machine.run(&certificate).await.is(0).shows("share verify a.jwt");
        machine.run(&certificate).await.is(7);
    }
    let service = scene.world.stop().await;
    client.run(&["verify", "a.jwt"]).await.is(0).shows("digits.txt");
    let mut certificate = client.read("a.jwt");
    let middle = certificate.len() / 2;
    certificate[middle] = if certificate[middle] == b'A' { b'B' } else { b'A' };
    client.write("forged.jwt", &certificate);
    client.run(&["verify", "forged.jwt", "--keys", "a.keys.json"]).await.fails(1, "is not good");
    client.run(&["verify", "forged.jwt"]).await.fails(7, "forged.keys.json");
    client.run(&["verify", "missing.jwt", "--keys", "a.keys.json"]).await.fails(7, "missing.jwt");
    drop(service);
}

#[tokio::test(flavor = "multi_thread")]
async fn ops_change_and_delete_files() {
    let (scene, client, ops, _) = all_roles().await;
    scene.another_client("rosa").await;
    let set = ["set", "digits.txt", "--to", "rosa", "--note", "x", "--name", "numbers.txt"];
    ops.run(&set).await.is(0).shows("Changed numbers.txt");
    assert_eq!(client.run(&["ls"]).await.out, "");
    ops.run(&["set", "numbers.txt", "--to", "everyone", "--note", ""]).await.is(0);
    client.run(&["ls"]).await.is(0).shows("numbers.txt");
    let file = scene.world.file(&scene.file, &scene.ops).await;
    assert_eq!((&file["recipients"], &file["note"]), (&json!("everyone"), &json!(null)));
    ops.run(&["set", "digits.txt"]).await.fails(4, "There is no file named");
    ops.run(&["rm", "numbers.txt", "missing.txt"]).await.fails(4, "missing.txt");
    client.run(&["ls"]).await.is(0).shows("numbers.txt");
    client.run(&["rm", "numbers.txt"]).await.is(3);
    ops.run(&["rm", "numbers.txt"]).await.is(0).shows(&format!("Deleted {}.", scene.file));
    assert_eq!(client.run(&["ls"]).await.out, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_service_fetches_a_file_from_a_host_that_it_is_allowed() {
    let origin = Origin::start(|asked: &Asked| match asked.target() {
        "/digits.txt" => vec![whole("", DIGITS)],
        _ => vec![status("404 Not Found", "")],
    })
    .await;
    let world = World::start_with(&[("IMPORT_ALLOWED_HOSTS", &origin.host)]).await;
    let ops = Machine::of(SHARE, &world, "ops").await;
    let ended = ops.run(&["import", &origin.url("/digits.txt"), "--to", "client"]).await;
    ended.is(0).shows("Imported digits.txt").says("The service fetches it as ");
    let client = world.token("client").await;
    assert_eq!(world.names_listed(routes::LIST_FILES, &client).await, ["digits.txt"]);
    ops.run(&["import", &origin.url("/missing.txt")]).await.fails(5, "was not taken");
    ops.run(&["import", "http://127.0.0.1:1/x.txt"]).await.is(5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_answer_is_lost_is_one_file() {
    let origin = Origin::start(|_| vec![whole("", DIGITS)]).await;
    let world = World::start_with(&[("IMPORT_ALLOWED_HOSTS", &origin.host)]).await;
    let proxy = Proxy::start(&world.base, "POST /api/imports").await;
    let mut ops = Machine::of(SHARE, &world, "ops").await;
    ops.set("SHARE_URL", &proxy.url);
    proxy.lose(1);
    ops.run(&["import", &origin.url("/digits.txt")]).await.is(0).shows("Imported digits.txt");
    assert_eq!((proxy.left(), proxy.seen()), (0, 2));
    let token = world.token("ops").await;
    assert_eq!(world.names_listed(routes::LIST_UPLOADED, &token).await, ["digits.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn admins_say_who_may_come_in() {
    let (scene, client, _, admin) = all_roles().await;
    let invited = admin.run(&["invite", "rosa@example.org", "--role", "client"]).await;
    invited.is(0).shows("Invited rosa@example.org as rosa-").shows(" (client), until ");
    admin.run(&["invite", "no address", "--role", "client"]).await.fails(2, "address");
    admin.run(&["invite", "a@example.org", "--role", "king"]).await.fails(2, "--role");
    admin.run(&["users", "--state", "invited"]).await.is(0).shows("rosa");
    admin.run(&["users", "--role", "ops"]).await.is(0).shows("ops@example.com");

    admin.run(&["disable", "client"]).await.is(0).shows("client is disabled now.");
    client.run(&["ls"]).await.is(3);
    admin.run(&["enable", "client@example.com"]).await.is(0).shows("client is active now.");
    scene.login("client", ("username", "client"), "local-client-password").await.is(200);
    admin.run(&["disable", "nobody"]).await.fails(4, "share users");

    admin.run(&["groups", "create", "board"]).await.is(0).shows("Made the group board.");
    admin.run(&["groups", "add", "board", "client"]).await.is(0);
    admin.run(&["groups"]).await.is(0).shows("board\t1\t");
    admin.run(&["users", "--group", "board"]).await.is(0).shows("client@example.com");
    admin.run(&["groups", "remove", "board", "client"]).await.is(0);
    admin.run(&["groups"]).await.is(0).shows("board\t0\t");
    admin.run(&["groups", "delete", "board"]).await.is(0);
    assert_eq!(admin.run(&["groups"]).await.is(0).out, "");
    admin.run(&["groups", "delete", "board"]).await.is(4);

    let audit = admin.run(&["audit", "--limit", "3"]).await;
    assert_eq!(audit.is(0).out.lines().count(), 3, "{audit}");
    let newest: Vec<_> = audit.out.lines().next().unwrap().split('\t').collect();
    assert_eq!((newest[1], newest[4]), ("group_deleted", "board"));
    let of_group = admin.run(&["audit", "--subject", newest[3]]).await;
    let actions = of_group.is(0).out.lines().map(|line| line.split('\t').nth(1).unwrap());
    assert_eq!(actions.collect::<Vec<_>>(), ["group_deleted", "group_created"]);
    for command in [&["users"][..], &["audit"], &["invite", "x@example.org", "--role", "ops"]] {
        client.run(command).await.is(3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completions_and_manual_pages_come_from_the_program() {
    let machine = Machine::new(SHARE);
    for shell in ["bash", "zsh", "fish"] {
        machine.run(&["completions", shell]).await.is(0).shows("upload");
    }
    machine.write("man/x", b"");
    machine.run(&["man", "man"]).await.is(0);
    let pages = names_in(&machine.folder().join("man"));
    for page in ["share.1", "share-upload.1", "share-get.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    machine.run(&["--help"]).await.is(0).shows("Exit status");
    machine.run(&["--version"]).await.is(0).shows("share ");
    machine.run(&["fly"]).await.fails(2, "fly");
    machine.run(&[]).await.is(2);
}
