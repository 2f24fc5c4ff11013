//! `POST /api/uploads`.

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::matchers::case;
use share_e2e::scene::second;
use share_e2e::uploads::PART;
use share_e2e::{World, routes};

/// A week.
const LIFETIME: i64 = 7 * 24 * 60 * 60;

#[tokio::test]
async fn an_upload_says_how_its_bytes_are_divided_and_nothing_is_listed_before_they_are_there() {
    let world = World::start().await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let user = world.store.user_named("ops").await;
    let begun = world.now().as_second();
    // max(8 MiB, size / 10,000), rounded up.
    let sizes: [(u64, u64, u64); 7] = [
        (1, 8_388_608, 1),
        (8_388_608, 8_388_608, 1),
        (8_388_609, 8_388_608, 2),
        (83_886_080_000, 8_388_608, 10_000),
        (83_886_080_001, 8_388_609, 10_000),
        (1_099_511_627_776, 109_951_163, 10_000),
        (5_497_558_138_880, 549_755_814, 10_000),
    ];
    let mut counted = (0, 0);
    for (size, part_size, parts) in sizes {
        let body = json!({"filename": "large.zip", "size": size});
        let told = world.begin_upload(&ops, &body).await.is_json(201);
        assert_eq!(told["part_size"], part_size, "{size}");
        assert_eq!(told["parts"], parts, "{size}");
        let lasts = second(&told["expires_at"]) - begun;
        assert!((LIFETIME..LIFETIME + 10).contains(&lasts), "{lasts}");
        let id = told["upload_id"].as_str().unwrap();
        assert_eq!(world.store.file_state(id).await.as_deref(), Some("uploading"));
        counted = (counted.0 + size, counted.1 + 1);
        assert_eq!(world.store.usage(&user).await, counted, "of the account");
        assert_eq!(world.store.usage("stack").await, counted);
    }
    assert_eq!(world.uploads_in_s3(), sizes.len());
    assert_eq!(world.all(routes::LIST_FILES, 100, &client).await, Vec::<Value>::new());
    world.is_consistent().await;
}

#[tokio::test]
async fn an_upload_of_a_wrong_name_size_digest_or_recipient_is_refused_and_not_begun() {
    let world = World::start_with(&[("MAX_FILE_BYTES", "1000")]).await;
    let ops = world.token("ops").await;
    let create =
        |body: &Value| world.request(Method::POST, routes::UPLOADS).bearer_auth(&ops).json(body);
    let with = |name: &str, value: Value| {
        let mut body = json!({"filename": "a.txt", "size": 1000});
        body[name] = value;
        create(&body)
    };
    let mut cases = vec![
        case("no name", create(&json!({"size": 1})), 422, "invalid_field").naming("filename"),
        case("no size", create(&json!({"filename": "a.txt"})), 422, "invalid_field").naming("size"),
        case("a program", with("filename", json!("a.exe")), 415, "file_type_not_allowed"),
        case("no extension", with("filename", json!("a")), 415, "file_type_not_allowed"),
        case("no JSON", create(&json!(null)), 400, "malformed_json"),
        case(
            "not JSON",
            world.request(Method::POST, routes::UPLOADS).bearer_auth(&ops).body("a"),
            415,
            "unsupported_media_type",
        ),
    ];
    for (name, value) in [
        ("filename", json!("")),
        ("filename", json!(1)),
        ("size", json!(0)),
        ("size", json!(-1)),
        ("size", json!(1001)),
        ("size", json!(1.5)),
        ("size", json!("1000")),
        ("sha256", json!("00")),
        ("sha256", json!("z".repeat(64))),
        ("recipients", json!(["nobody-of-this-name"])),
        ("recipients", json!("someone")),
        ("expires_in", json!(59)),
        ("expires_in", json!(315_360_001)),
        ("note", json!("two\nlines")),
    ] {
        let title = format!("{name} {value}");
        cases.push(case(title, with(name, value), 422, "invalid_field").naming(name));
    }
    world.refuses(cases).await;
    assert_eq!(world.uploads_in_s3(), 0);
    let whole = json!({"filename": "a.txt", "size": 1000});
    world.begin_upload(&ops, &whole).await.is(201);
}

#[tokio::test]
async fn only_ops_can_begin_an_upload() {
    let world = World::start().await;
    let client = world.token("client").await;
    let body = json!({"filename": "a.txt", "size": PART});
    let create = || world.request(Method::POST, routes::UPLOADS).json(&body);
    world
        .refuses(vec![
            case("nobody", create(), 401, "missing_token"),
            case("a stranger", create().bearer_auth("a"), 401, "invalid_token"),
            case("a Client", create().bearer_auth(&client), 403, "wrong_role"),
        ])
        .await;
    assert_eq!(world.uploads_in_s3(), 0);
}

#[tokio::test]
async fn an_upload_that_would_pass_a_quota_leaves_no_record() {
    for (name, most) in [("ACCOUNT_QUOTA_BYTES", "1000"), ("STACK_QUOTA_FILES", "1")] {
        let world = World::start_with(&[(name, most)]).await;
        let ops = world.token("ops").await;
        let body = json!({"filename": "a.txt", "size": 1000});
        let first = world.begin_upload(&ops, &body).await.is(201).upload_id();
        let before = world.stored().await;
        let body = json!({"filename": "a.txt", "size": 1});
        world.begin_upload(&ops, &body).await.refused(409, "quota_exceeded");
        world.unchanged_but_counted(before).await;
        // What is given up no longer counts.
        world.abort_upload(&first, &ops).await.is_empty(204);
        world.begin_upload(&ops, &body).await.is(201);
    }
}
