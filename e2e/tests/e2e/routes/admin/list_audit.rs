//! `GET /api/admin/audit`.

use reqwest::Method;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};
use share_e2e::access_token::AccessToken;
use share_e2e::scene::Scene;
use share_e2e::{Answer, Ops, World, routes, send};

fn actions(lines: &[serde_json::Value]) -> Vec<&str> {
    lines.iter().map(|line| line["action"].as_str().unwrap()).collect()
}

async fn csv(world: &World, query: &str, token: &str) -> Answer {
    let request = world.request(Method::GET, &format!("{}{query}", routes::AUDIT));
    send(request.bearer_auth(token).header(ACCEPT, "text/csv")).await
}

#[tokio::test]
async fn a_line_says_who_did_what_to_whom_when_and_in_which_request() {
    let world = World::start().await;
    let before = world.now().as_second();
    let admin = world.token("admin").await;
    let lines = world.all(routes::AUDIT, 100, &admin).await;
    assert_eq!(actions(&lines), ["session_begun"]);
    let (line, id) = (&lines[0], AccessToken::read(&admin).user());
    assert_eq!(line["subject"], format!("user:{id}"));
    assert_eq!(line["actor"], id);
    assert!(!line["request_id"].as_str().unwrap().is_empty(), "{line}");
    let at: jiff::Timestamp = line["at"].as_str().unwrap().parse().unwrap();
    assert!((before..=world.now().as_second()).contains(&at.as_second()), "{line}");
}

#[tokio::test]
async fn a_line_says_what_its_action_does_not() {
    let world = World::with_mails().await.0;
    let (ops, admin) = (Ops::of(&world).await, world.token("admin").await);
    let client = world.token("client").await;
    let user = AccessToken::read(&client).user();
    let session = world.all(routes::SESSIONS, 1, &client).await[0]["id"].clone();
    let session = session.as_str().unwrap();
    world.post_as(routes::GROUPS, &admin, &json!({"name": "board"})).await.is(201);
    let as_admin = async |method: Method, path: &str, body: &Value| {
        send(world.request(method, path).bearer_auth(&admin).json(body)).await
    };
    as_admin(Method::PUT, &routes::member("board", &user), &json!({})).await.is(204);
    as_admin(Method::PATCH, &routes::user(&user), &json!({"role": "ops"})).await.is(200);
    let invited = json!({"email": "guest@example.org", "role": "ops"});
    let guest = world.post_as(routes::INVITATIONS, &admin, &invited).await.is(201).id();
    as_admin(Method::PATCH, &routes::user(&guest), &json!({"role": "admin"})).await.is(200);
    as_admin(Method::POST, &routes::invitation(&guest), &json!({})).await.is(200);
    as_admin(Method::DELETE, &routes::invitation(&guest), &json!({})).await.is(204);
    let file = ops.file("a.txt", &json!({})).await;
    let terms = json!({"note": "for you", "recipients": ["group:board"]});
    send(world.request(Method::PATCH, &routes::file(&file)).bearer_auth(&ops.token).json(&terms))
        .await
        .is(200);

    let details = async |subject: String| {
        let path = format!("{}?subject={subject}", routes::AUDIT);
        let mut lines = world.get(&path, &admin).await.is_json(200).as_array().unwrap().clone();
        lines.sort_by_key(|line| line["action"].to_string());
        let says = |line: &Value| match line["detail"].as_str() {
            Some(detail) => format!("{}: {detail}", line["action"].as_str().unwrap()),
            None => line["action"].as_str().unwrap().to_owned(),
        };
        lines.iter().map(says).collect::<Vec<_>>()
    };
    assert_eq!(
        details(format!("user:{user}")).await,
        [
            "group_joined: board",
            "role_changed: client to ops",
            &format!("session_begun: {session} by password"),
        ]
    );
    assert_eq!(
        details(format!("user:{guest}")).await,
        [
            "account_created: ops by invitation",
            "invitation_renewed: admin",
            "invitation_withdrawn: admin",
            "role_changed: ops to admin",
        ]
    );
    assert_eq!(
        details(format!("file:{file}")).await,
        ["file_changed: note, recipients", "file_uploaded"]
    );
    let table = csv(&world, &format!("?subject=user:{user}&action=role_changed"), &admin).await;
    assert!(table.is(200).text().ends_with(",client to ops\r\n"), "{}", table.text());
}

#[tokio::test]
async fn the_audit_is_read_by_subject_by_actor_by_action_and_by_time_the_newest_first() {
    let scene = Scene::start().await;
    let (world, ops) = (&scene.world, AccessToken::read(&scene.ops).user());
    world.pass(300);
    scene.delete_file(&scene.file, &scene.ops).await.is(204);
    let noon = world.now();
    world.pass(300);
    let admin = world.token("admin").await;
    let read = async |query: &str| {
        let lines = world.get(&format!("{}?{query}", routes::AUDIT), &admin).await.is_json(200);
        lines.as_array().unwrap().clone()
    };
    let of_file = read(&format!("subject=file:{}", scene.file)).await;
    assert_eq!(actions(&of_file), ["file_deleted", "file_uploaded"], "and no receipt");
    let of_ops = read(&format!("actor={ops}")).await;
    assert_eq!(actions(&of_ops)[0], "file_deleted", "{of_ops:?}");
    assert!(of_ops.iter().rev().map(|line| line["at"].as_str()).is_sorted(), "{of_ops:?}");
    assert!(of_ops.iter().all(|line| line["actor"] == *ops), "{of_ops:?}");
    let logins = read("action=session_begun").await;
    assert!(logins.len() >= 3 && logins.iter().all(|line| line["action"] == "session_begun"));
    assert_eq!(read(&format!("subject=user:{ops}&action=file_deleted")).await.len(), 0);
    let both = format!("subject=file:{}&actor={ops}&action=file_deleted", scene.file);
    assert_eq!(actions(&read(&both).await), ["file_deleted"]);
    assert_eq!(actions(&read(&format!("after={noon}")).await), ["session_begun"]);
    let early = read(&format!("before={noon}")).await;
    assert_eq!(actions(&early)[0], "file_deleted");
    assert_eq!(early.len() + 1, world.all(routes::AUDIT, 2, &admin).await.len());
    let minutes = format!("after={}&before={noon}", noon - jiff::SignedDuration::from_mins(2));
    assert_eq!(actions(&read(&minutes).await), ["file_deleted"]);
}

#[tokio::test]
async fn a_query_that_cannot_be_read_is_refused() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    for query in [
        "subject=client",
        "subject=link:017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "actor=client",
        "action=Session",
        "after=yesterday",
        "after=1969-12-31T23:59:59Z",
        "after=2026-01-02T00:00:00Z&before=2026-01-02T00:00:00Z",
        "limit=0",
    ] {
        let answer = world.get(&format!("{}?{query}", routes::AUDIT), &admin).await;
        answer.refused(400, "invalid_parameter");
    }
}

#[tokio::test]
async fn the_next_page_is_of_the_same_list() {
    let world = World::start().await;
    for _ in 0..3 {
        world.token("client").await;
    }
    let admin = world.token("admin").await;
    let client = AccessToken::read(&world.token("client").await).user();
    let path = format!("{}?limit=1&actor={client}", routes::AUDIT);
    let first = world.get(&path, &admin).await;
    let next = first.is(200).next().unwrap().to_owned();
    let second = world.get(world.path_of(&next), &admin).await.is_json(200);
    assert_eq!(second[0]["actor"], client);
    let cursor = next.split("cursor=").nth(1).unwrap();
    let other = world.get(&format!("{}?cursor={cursor}", routes::AUDIT), &admin).await;
    other.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn the_audit_is_a_table_for_spreadsheets_when_csv_is_asked_for() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let answer = csv(&world, "", &admin).await;
    answer.is(200);
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let text = answer.text();
    let lines: Vec<_> = text.split("\r\n").collect();
    assert_eq!(lines[0], "at,subject,action,actor,request_id,detail");
    let id = AccessToken::read(&admin).user();
    assert!(lines[1].contains(&format!(",user:{id},session_begun,{id},")), "{text}");
    assert_eq!(lines[2..], [""], "{text}");
    csv(&world, "?action=-", &admin).await.refused(400, "invalid_parameter");
}

#[tokio::test]
async fn csv_of_more_than_ten_thousand_lines_says_where_it_goes_on() {
    let world = World::start().await;
    let admin = world.token("admin").await;
    let at = world.now() - jiff::SignedDuration::from_hours(1);
    world.store.put_events("017f22e2-79b0-7cc3-98c4-dc0c0c07398f", 10_001, at).await;
    let first = csv(&world, "", &admin).await;
    let text = first.is(200).text();
    let lines: Vec<_> = text.trim_end().split("\r\n").collect();
    let next = first.next().unwrap();
    assert_eq!(lines.len(), 1 + 10_000 + 1);
    assert_eq!(lines.last().unwrap(), &format!("continued at {next},,,,,"));
    assert!(first.bytes.len() < 3_000_000, "{}", first.bytes.len());
    let rest = csv(&world, &world.path_of(next)[routes::AUDIT.len()..], &admin).await;
    assert_eq!(rest.is(200).text().trim_end().split("\r\n").count(), 1 + 2);
    assert!(rest.next().is_none());
}

#[tokio::test]
async fn a_line_is_kept_as_long_as_the_setting_says() {
    let world = World::start_with(&[("AUDIT_RETENTION_DAYS", "30")]).await;
    let admin = AccessToken::read(&world.token("admin").await).user();
    let kept = world.store.forget_audit_at(&admin).await - world.now().as_second();
    assert!((30 * 86_400 - 60..=30 * 86_400).contains(&kept), "{kept}");
}
