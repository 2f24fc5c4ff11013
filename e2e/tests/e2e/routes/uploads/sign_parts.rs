//! `POST /api/uploads/{id}/parts`.

use reqwest::Method;
use serde_json::{Value, json};
use share_e2e::matchers::case;
use share_e2e::samples::{noise, sha256, zip_of_size};
use share_e2e::uploads::{PART, SignedPart};
use share_e2e::{Upload, World, routes};

const CSV: &[u8] = b"a,b\n1,2\n";

#[tokio::test]
async fn each_part_gets_a_request_of_its_length_and_the_same_call_renews_it() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let content = zip_of_size(PART + 1);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    let parts = [(2, upload.part(2)), (1, upload.part(1))];
    for _ in 0..2 {
        let told = world.sign_parts(&upload.id, &ops, &parts).await.is_json(200);
        assert_eq!(told["expires_in"], 900);
        let sizes: Vec<_> =
            told["parts"].as_array().unwrap().iter().map(|it| &it["size"]).collect();
        assert_eq!(sizes, [&json!(1), &json!(PART)], "in the order of the request");
        for (told, (number, bytes)) in told["parts"].as_array().unwrap().iter().zip(parts) {
            let signed = SignedPart::of(told);
            assert_eq!(signed.number, number);
            assert!(signed.url.contains("X-Amz-Expires=900"), "{}", signed.url);
            upload.put(&signed, bytes).await.is(200);
        }
    }
    assert_eq!(upload.received().await, [1, 2]);
}

#[tokio::test]
async fn a_thousand_parts_are_signed_at_once_and_no_more() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let body = json!({"filename": "a.zip", "size": 1_099_511_627_776_u64});
    let id = world.begin_upload(&ops, &body).await.is(201).upload_id();
    let parts = |count: usize| (9001..9001 + count).map(|number| (number, CSV)).collect::<Vec<_>>();
    let told = world.sign_parts(&id, &ops, &parts(1000)).await.is_json(200);
    assert_eq!(told["parts"].as_array().unwrap().len(), 1000);
    world.sign_parts(&id, &ops, &parts(1001)).await.refused(422, "invalid_field");
}

#[tokio::test]
async fn parts_that_the_file_does_not_have_are_not_signed() {
    let world = World::start().await;
    let ops = world.token("ops").await;
    let content = noise(PART + 1);
    let upload = Upload::begin(&world, &ops, "a.zip", &content).await;
    let sign = |body: &Value| {
        let path = routes::upload_parts(&upload.id);
        world.request(Method::POST, &path).bearer_auth(&ops).json(body)
    };
    let digest = sha256(b"");
    let part = |number: Value| json!({"parts": [{"number": number, "sha256": digest}]});
    let bodies = [
        json!({}),
        json!({"parts": []}),
        json!({"parts": "1"}),
        json!({"parts": [1]}),
        json!({"parts": [{"number": 1}]}),
        json!({"parts": [{"sha256": digest}]}),
        json!({"parts": [{"number": 1, "sha256": "00"}]}),
        part(json!(0)),
        part(json!(3)),
        part(json!(-1)),
        part(json!(1.5)),
        part(json!("1")),
        part(json!(4_294_967_297_u64)),
    ];
    let cases = bodies
        .iter()
        .map(|body| case(body.to_string(), sign(body), 422, "invalid_field").naming("parts"));
    world.refuses(cases.collect()).await;
    assert_eq!(upload.received().await, Vec::<usize>::new());
}

#[tokio::test]
async fn parts_of_an_upload_that_is_over_or_unknown_are_not_signed() {
    let world = World::start().await;
    let (ops, client) = (world.token("ops").await, world.token("client").await);
    let done = world.upload_in_parts(&ops, "done.csv", CSV).await;
    let aborted = Upload::begin(&world, &ops, "aborted.csv", CSV).await;
    aborted.abort().await.is_empty(204);
    let open = Upload::begin(&world, &ops, "open.csv", CSV).await;
    let body = json!({"parts": [{"number": 1, "sha256": sha256(CSV)}]});
    let sign = |id: &str, token: &str| {
        let request = world.request(Method::POST, &routes::upload_parts(id));
        request.bearer_auth(token).json(&body)
    };
    world
        .refuses(vec![
            case("complete", sign(&done, &ops), 409, "upload_completed"),
            case("aborted", sign(&aborted.id, &ops), 410, "upload_ended"),
            case("unknown", sign(&unknown(&open.id), &ops), 404, "upload_unknown"),
            case("no id", sign("a", &ops), 400, "invalid_parameter"),
            case("a Client", sign(&open.id, &client), 403, "wrong_role"),
        ])
        .await;
    world.pass(7 * 24 * 60 * 60);
    let ops = world.token("ops").await;
    open_is_over(&world, &open.id, &ops).await;
}

/// After its time an upload takes no parts, whether or not the job has been there.
async fn open_is_over(world: &World, id: &str, ops: &str) {
    world.sign_parts(id, ops, &[(1, CSV)]).await.refused(410, "upload_ended");
    world.complete_upload(id, ops).await.refused(410, "upload_ended");
}

/// An id that nothing has.
fn unknown(id: &str) -> String {
    let last = if id.ends_with('0') { "1" } else { "0" };
    format!("{}{last}", &id[..id.len() - 1])
}
