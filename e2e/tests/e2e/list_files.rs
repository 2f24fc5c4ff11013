//! `GET /api/files/list`.

use share_e2e::World;

/// The address in a `Link` header with `rel="next"`.
fn next(link: &str) -> Option<&str> {
    link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")
}

#[tokio::test]
async fn pages_show_every_file_once_newest_first_and_the_last_has_no_next() {
    let world = World::start().await;
    let token = world.token("client").await;
    let mut uploaded = Vec::new();
    for number in 0..7 {
        let answer = world.upload(&format!("{number}.txt"), b"x").await;
        uploaded.insert(0, answer.json()["id"].as_str().unwrap().to_owned());
    }
    for limit in [1, 2, 6, 7, 8] {
        let mut seen = Vec::new();
        let mut address = Some(world.url(&format!("/api/files/list?limit={limit}")));
        while let Some(url) = address {
            let path = url.strip_prefix(&world.url("")).unwrap();
            let page = world.get(path, &token).await;
            let files = page.json();
            let files = files.as_array().unwrap();
            assert!((1..=limit).contains(&files.len()), "limit {limit}");
            seen.extend(files.iter().map(|file| file["id"].as_str().unwrap().to_owned()));
            address = next(page.header("link")).map(str::to_owned);
        }
        assert_eq!(seen, uploaded, "limit {limit}");
    }
}

#[tokio::test]
async fn an_empty_shelf_is_an_empty_array() {
    let world = World::start().await;
    let answer = world.get("/api/files/list", &world.token("client").await).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "[]"));
    assert_eq!(answer.header("link"), "");
}

#[tokio::test]
async fn without_a_limit_a_page_has_fifty_files() {
    let world = World::start().await;
    let token = world.token("client").await;
    for number in 0..51 {
        assert_eq!(world.upload(&format!("{number}.txt"), b"x").await.status, 201);
    }
    let page = world.get("/api/files/list", &token).await;
    assert_eq!(page.json().as_array().unwrap().len(), 50);
    assert!(next(page.header("link")).is_some());
}
