//! The server is killed (`kill -9`) in the middle of an import.

use std::sync::Arc;

use serde_json::{Map, json};
use share_e2e::origin::{Origin, Step, cut, part};
use share_e2e::samples::{sha256, zip_of_size};
use share_e2e::{World, routes};
use tempfile::TempDir;

use crate::{MIB, SERVER};

/// The size of the parts in which the import is stored.
const PART: usize = 8 * MIB;

#[tokio::test(flavor = "multi_thread")]
async fn an_import_whose_server_was_killed_goes_on_with_the_part_that_was_on_its_way() {
    let content = Arc::new(zip_of_size(3 * PART));
    let body = Arc::clone(&content);
    let tag = "ETag: \"one\"\r\n";
    let origin = Origin::start(move |asked| match asked.offset() {
        0 => vec![cut(tag, &body, 0, 2 * PART + 5), Step::Wait],
        offset => vec![part(tag, &body, offset)],
    });
    let origin = origin.await;
    let hosts = [("IMPORT_ALLOWED_HOSTS", origin.host.as_str())];
    let data = TempDir::new().unwrap();
    let mut server = SERVER.start_with(&hosts, data.path());
    let ops = server.api.token("ops").await;
    let url = origin.url("/archive.zip");
    let id = server.api.post_as(routes::IMPORTS, &ops, &json!({"url": url})).await.is(202).id();
    let received = async || {
        let answer = server.api.get(&routes::upload(&id), &ops).await.is_json(200);
        answer["received"].as_array().unwrap().len()
    };
    while received().await < 2 {}
    server.kill();

    // When the one who was at it cannot be at it any more.
    let world = World::start_on(data, &hosts).await;
    world.pass(17 * 60);
    world.server.invoke_job("ContinueImports", Map::new()).await.unwrap();
    world.server.jobs_idle().await;
    let file = world.get(&routes::file(&id), &world.token("ops").await).await.is_json(200);
    assert_eq!(file["state"], "available", "{file}");
    assert_eq!(file["sha256"], sha256(&content));
    let asked: Vec<_> = origin.asked().iter().map(share_e2e::origin::Asked::offset).collect();
    assert_eq!(asked, [0, 2 * PART], "no byte of a part that S3 has is asked for again");
}
