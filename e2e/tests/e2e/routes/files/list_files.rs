//! `GET /api/files/list`.

use share_e2e::api::form_with;
use share_e2e::{World, routes};

/// Uploads so many files and gives their ids, the newest first.
async fn upload(world: &World, count: usize) -> Vec<String> {
    let ops = world.token("ops").await;
    let mut ids = Vec::new();
    for number in 0..count {
        let answer = world.upload_as(&ops, form_with(&format!("{number}.txt"), b"x")).await;
        ids.insert(0, answer.is(201).id());
    }
    ids
}

#[tokio::test]
async fn pages_show_every_file_once_newest_first_and_the_last_has_no_next() {
    let world = World::start().await;
    let client = world.token("client").await;
    let uploaded = upload(&world, 7).await;
    for limit in [1, 2, 6, 7, 8] {
        let mut seen = Vec::new();
        let mut next = Some(format!("{}?limit={limit}", routes::LIST_FILES));
        while let Some(path) = next {
            let page = world.get(&path, &client).await;
            let files = page.is_json(200);
            let files = files.as_array().unwrap();
            assert!((1..=limit).contains(&files.len()), "limit {limit}");
            seen.extend(files.iter().map(|file| file["id"].as_str().unwrap().to_owned()));
            next = page.next().map(|url| world.path_of(url).to_owned());
        }
        assert_eq!(seen, uploaded, "limit {limit}");
    }
}

#[tokio::test]
async fn a_list_without_files_is_an_empty_array() {
    let world = World::start().await;
    let answer = world.get(routes::LIST_FILES, &world.token("client").await).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "[]"));
    assert_eq!(answer.header("link"), "");
}

#[tokio::test]
async fn without_a_limit_a_page_has_fifty_files() {
    let world = World::start().await;
    upload(&world, 51).await;
    let page = world.get(routes::LIST_FILES, &world.token("client").await).await;
    assert_eq!(page.is_json(200).as_array().unwrap().len(), 50);
    assert!(page.next().is_some());
}
