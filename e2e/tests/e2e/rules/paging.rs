//! Pages of lists: a cursor is good for the list and the caller that got it.

use reqwest::Method;
use share_e2e::bad_input::swap_a_letter;
use share_e2e::matchers::case;
use share_e2e::{Scene, World, routes, send};

/// The `cursor` of a list's next page.
async fn cursor(world: &World, path: &str, token: &str) -> String {
    let answer = world.get(&format!("{path}?limit=1"), token).await;
    answer.next().unwrap().split_once("cursor=").unwrap().1.to_owned()
}

/// Every list, and an access token for it. Each has two pages of one record.
async fn lists(world: &World) -> [(String, String); 3] {
    let (client, ops) = (world.token("client").await, world.token("ops").await);
    world.some_file().await;
    let file = world.some_file().await;
    world.link(&file, &client).await;
    world.link(&file, &client).await;
    let receipts = routes::receipts(&file);
    let (files, links) = (routes::LIST_FILES.to_owned(), routes::LIST_LINKS.to_owned());
    [(files, client.clone()), (links, client), (receipts, ops)]
}

#[tokio::test]
async fn a_cursor_or_limit_that_a_list_never_offered_is_refused() {
    let world = World::start().await;
    let foreign = World::start_with(&[("JWT_SECRET", &"x".repeat(40))]).await;
    let foreign_lists = lists(&foreign).await;
    for ((path, token), (foreign_path, foreign_token)) in
        lists(&world).await.iter().zip(&foreign_lists)
    {
        let genuine = cursor(&world, path, token).await;
        let foreign = cursor(&foreign, foreign_path, foreign_token).await;
        never_offered(&world, path, token, &genuine, &foreign).await;
    }
}

async fn never_offered(world: &World, path: &str, token: &str, genuine: &str, foreign: &str) {
    let list =
        |query: &str| world.request(Method::GET, &format!("{path}?{query}")).bearer_auth(token);
    let (content, tag) = genuine.split_once('.').unwrap();
    let (foreign_content, foreign_tag) = foreign.split_once('.').unwrap();
    let cursors = [
        "",
        ".",
        "x",
        "null",
        content,
        tag,
        &format!("{content}."),
        &format!(".{tag}"),
        &format!("{tag}.{content}"),
        &format!("{content}.{tag}."),
        &format!("{genuine}A"),
        &format!("{genuine}%3D"),
        &genuine[1..],
        &genuine[..genuine.len() - 1],
        &swap_a_letter(genuine, content.len() / 2),
        &swap_a_letter(genuine, content.len() + 5),
        foreign,
        &format!("{content}.{foreign_tag}"),
        &format!("{foreign_content}.{tag}"),
        token,
        &"A".repeat(8192),
    ];
    let mut cases: Vec<_> = cursors
        .map(|cursor| {
            let name = format!("{path}, the cursor {}", &cursor[..cursor.len().min(60)]);
            case(name, list(&format!("limit=1&cursor={cursor}")), 400, "invalid_parameter")
        })
        .into();
    let many = "1".repeat(8192);
    for limit in
        ["", "0", "101", "-1", "abc", "1.5", "1e1", "0x10", "%31%30%30%30", "%201", "1%00", &many]
    {
        let name = format!("{path}, the limit {}", &limit[..limit.len().min(20)]);
        cases.push(case(name, list(&format!("limit={limit}")), 400, "invalid_parameter"));
    }
    world.refuses(cases).await;
    for query in [&format!("cursor={genuine}"), "limit=1", "limit=100"] {
        assert_eq!(send(list(query)).await.status, 200, "{path}?{query}");
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_its_own_list_only() {
    let scene = Scene::start().await;
    let world = &scene.world;
    let (client, ops) = (&scene.client, &scene.ops);
    let another_file = world.some_file().await;
    for _ in 0..2 {
        world.link(&scene.file, client).await;
        world.link(&another_file, client).await;
    }
    let receipts = |file: &str| routes::receipts(file);
    let lists = [
        (routes::LIST_FILES.to_owned(), client),
        (routes::LIST_LINKS.to_owned(), client),
        (receipts(&scene.file), ops),
        (receipts(&another_file), ops),
    ];
    let mut cursors = Vec::new();
    for (path, token) in &lists {
        cursors.push(cursor(world, path, token).await);
    }
    for (place, (path, token)) in lists.iter().enumerate() {
        for (origin, cursor) in cursors.iter().enumerate() {
            let answer = world.get(&format!("{path}?limit=1&cursor={cursor}"), token).await;
            if origin == place {
                assert_eq!(answer.status, 200, "{path}: {answer:?}");
            } else {
                answer.refused(400, "invalid_parameter");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_clients_list_is_refused() {
    let scene = Scene::start().await;
    let rosa = scene.another_client("rosa").await;
    for token in [&rosa, &scene.client, &scene.client, &rosa] {
        scene.world.link(&scene.file, token).await;
    }
    let page = scene.get(&format!("{}?limit=1", routes::LIST_LINKS), &scene.client).await;
    let next = scene.path_of(page.next().unwrap());
    scene.get(next, &rosa).await.refused(400, "invalid_parameter");
}
