//! `GET /api/files/{file_id}/receipts`.

use reqwest::Method;
use share_e2e::bad_input::MALFORMED_IDS;
use share_e2e::matchers::case;
use share_e2e::{Scene, routes};

#[tokio::test]
async fn a_file_without_links_has_no_receipts_and_an_unknown_file_answers_404() {
    let scene = Scene::start().await;
    let get = async |id: &str| scene.get(&routes::receipts(id), &scene.ops).await;
    let answer = get(&scene.file).await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (200, "[]"));
    get("01890a5d-ac96-774b-bcce-b302099a8057").await.refused(404, "file_unknown");
    get(&scene.file.to_uppercase()).await.is(200);
}

#[tokio::test]
async fn a_malformed_file_id_answers_400_and_an_unknown_one_404() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let file = &scene.file;
    let receipts =
        |id: &str| scene.world.request(Method::GET, &routes::receipts(id)).bearer_auth(&scene.ops);
    let mut cases = Vec::new();
    for malformed in MALFORMED_IDS.into_iter().chain([
        link.id.as_str(),
        &file.replace('-', ""),
        &format!("{file}%20"),
        &"0".repeat(8000),
    ]) {
        let name = format!("receipts of {}", &malformed[..malformed.len().min(60)]);
        cases.push(case(name, receipts(malformed), 400, "invalid_parameter"));
    }
    let unknown = receipts("01890a5d-ac96-774b-bcce-b302099a8057");
    cases.push(case("an unknown file", unknown, 404, "file_unknown"));
    scene.refuses(cases).await;
}
