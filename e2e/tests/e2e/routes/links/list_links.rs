//! `GET /api/links`.

use share_e2e::{Scene, routes};

#[tokio::test]
async fn a_list_shows_the_callers_links_newest_first_in_their_states_without_gaps_or_repeats() {
    let scene = Scene::start().await;
    let other = scene.another_client("rosa").await;
    assert_eq!(scene.get(routes::LIST_LINKS, &other).await.text(), "[]");
    let mut links = Vec::new();
    for _ in 0..2 {
        scene.world.link(&scene.file, &other).await;
        links.extend(scene.links_of_every_state().await);
    }
    let expected: Vec<_> =
        links.iter().rev().map(|(link, state)| (link.id.as_str(), *state)).collect();
    for limit in [1, 3, 4, 9, 10, 11, 100] {
        let listed = scene.all(routes::LIST_LINKS, limit, &scene.client).await;
        let listed: Vec<_> = listed
            .iter()
            .map(|it| (it["id"].as_str().unwrap(), it["state"].as_str().unwrap()))
            .collect();
        assert_eq!(listed, expected, "limit {limit}");
    }
    let others = scene.all(routes::LIST_LINKS, 100, &other).await;
    assert_eq!(others.len(), 2);
    assert!(others.iter().all(|it| links.iter().all(|(link, _)| it["id"] != link.id)));
}

#[tokio::test]
async fn without_a_limit_a_page_has_fifty_links_and_a_page_of_a_hundred_is_full() {
    let scene = Scene::start().await;
    for _ in 0..101 {
        scene.plain_link().await;
    }
    for (query, length) in [("", 50), ("?limit=100", 100)] {
        let page = scene.get(&format!("{}{query}", routes::LIST_LINKS), &scene.client).await;
        assert_eq!(page.is_json(200).as_array().unwrap().len(), length);
        assert!(page.next().is_some());
    }
}
