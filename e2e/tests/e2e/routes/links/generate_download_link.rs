//! `POST /api/files/generate-download-link/{file_id}` and `POST /api/file/generate-load`.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use share_e2e::bad_input::{not_json, nothing};
use share_e2e::matchers::case;
use share_e2e::scene::{second, token_of};
use share_e2e::store::hash_of;
use share_e2e::{Scene, World, routes, send};

use crate::MIB;

#[tokio::test]
async fn a_link_says_what_it_permits_and_without_terms_works_once_within_an_hour() {
    let scene = Scene::start().await;
    let terms = json!({"max_downloads": 7, "expires_in": 86400, "bind": true, "note": "for Ann"});
    let none = json!({"max_downloads": null, "expires_in": null, "bind": null, "note": null});
    for (asked, lifetime, permitted) in [
        (
            &json!({}),
            3600,
            json!({"one_time": true, "max_downloads": 1, "bind": false, "note": null}),
        ),
        (&none, 3600, json!({"one_time": true, "max_downloads": 1, "bind": false, "note": null})),
        (
            &terms,
            86400,
            json!({"one_time": false, "max_downloads": 7, "bind": true, "note": "for Ann"}),
        ),
    ] {
        let (before, link) =
            (scene.now(), scene.world.link_with(&scene.file, &scene.client, asked).await);
        let after = scene.now();
        for (name, value) in permitted.as_object().unwrap() {
            assert_eq!(link[name], *value, "{name} of {link}");
        }
        assert_eq!(
            (&link["file_id"], &link["filename"]),
            (&json!(scene.file), &json!("digits.txt"))
        );
        let made = before.as_second()..=after.as_second();
        assert!(made.contains(&(second(&link["expires_at"]) - lifetime)), "{link}");
        let token = token_of(link["download_url"].as_str().unwrap());
        assert_eq!(link["id"], hash_of(token), "the hash of the token's bytes");
        let page = scene.url(&format!("{}?token={token}", routes::DOWNLOAD_PAGE));
        assert_eq!(link["page_url"], page);

        let listed = scene.all(routes::LIST_LINKS, 1, &scene.client).await[0].clone();
        let fields: BTreeSet<_> = listed.as_object().unwrap().keys().map(String::as_str).collect();
        let wanted =
            "id file_id filename state created_at expires_at max_downloads downloads bind note";
        assert_eq!(fields, wanted.split(' ').collect());
        for name in ["id", "file_id", "filename", "expires_at", "max_downloads", "bind", "note"] {
            assert_eq!(listed[name], link[name], "{name} of {listed}");
        }
        assert_eq!((&listed["state"], &listed["downloads"]), (&json!("live"), &json!(0)));
        assert!(made.contains(&second(&listed["created_at"])), "{listed}");
    }
}

#[tokio::test]
async fn every_way_to_ask_for_a_link_takes_terms() {
    let scene = Scene::start().await;
    let load = json!({"file_id": scene.file, "max_downloads": 3});
    let path = routes::generate_link(&scene.file);
    let ask = |method: Method, path: &str, body: &Value| {
        send(scene.request(method, path).bearer_auth(&scene.client).json(body))
    };
    let answer = ask(Method::POST, routes::GENERATE_LINK_BY_BODY, &load).await;
    assert_eq!(answer.is_json(201)["max_downloads"], 3);
    let answer = ask(Method::POST, &path, &json!({"max_downloads": 3})).await;
    assert_eq!(answer.is_json(201)["max_downloads"], 3);
    // The body of a GET has no meaning (RFC 9110, section 9.3.1).
    let answer = ask(Method::GET, &path, &json!({"max_downloads": 3})).await;
    assert_eq!(answer.is_json(200)["max_downloads"], 1);
}

#[tokio::test]
async fn a_link_lives_from_a_minute_to_a_week_or_to_the_limit_of_the_service() {
    for (variables, longest) in
        [(vec![], 604_800), (vec![("LINK_TTL_SECONDS", "60"), ("LINK_MAX_TTL_SECONDS", "90")], 90)]
    {
        let scene = Scene::start_with(&variables).await;
        let path = routes::generate_link(&scene.file);
        let before = scene.stored().await;
        for seconds in [59, longest + 1, 0, -60] {
            let terms = json!({"expires_in": seconds});
            let answer = scene.post_as(&path, &scene.client, &terms).await;
            answer.refused(422, "invalid_field");
            assert_eq!(answer.json()["errors"][0]["field"], "expires_in");
            let limits = format!("60 to {longest}");
            assert!(answer.text().contains(&limits), "{answer:?}");
        }
        scene.unchanged(&before).await;
        for seconds in [60, longest] {
            let terms = json!({"expires_in": seconds, "max_downloads": 2});
            let link = scene.link(&terms).await;
            let end = second(&scene.listed(&link).await["expires_at"]);
            scene.pass_until(end - 1);
            scene.download(&link, "", "").await.is_whole(); // in its last second
            scene.pass_until(end);
            let before = scene.stored().await;
            scene.download(&link, "", "").await.refused(410, "link_expired");
            scene.unchanged(&before).await;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_not_a_json_object_or_not_declared_as_json_is_refused() {
    let scene = Scene::start().await;
    let (client, file) = (&scene.client, &scene.file);
    let path = routes::generate_link(file);
    let mut cases = not_json(&scene, &path, client, &json!({"filename": "digits.txt"}));
    let by_body = routes::GENERATE_LINK_BY_BODY;
    cases.extend(not_json(&scene, by_body, client, &json!({"file_id": file})));
    // With the file in the path, a link needs no body.
    cases.push(nothing(&scene, by_body, client));
    scene.refuses(cases).await;
}

#[tokio::test]
async fn a_link_to_an_unknown_file_or_under_another_name_is_refused() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    let (to, by_body) =
        (|id: &str| routes::generate_link(id), routes::GENERATE_LINK_BY_BODY.to_owned());
    let request = |method: Method, path: &str| world.request(method, path).bearer_auth(&token);
    let unknown = "01890a5d-ac96-774b-bcce-b302099a8057";
    let mut cases = Vec::new();
    for method in [Method::GET, Method::POST] {
        for malformed in [
            "1",
            "note.txt",
            "null",
            "not-a-uuid",
            "%00",
            "%20",
            "..%2f..%2fetc%2fpasswd",
            "..%5c..%5cwindows",
            "%F0%9F%92%A9",
            "%ff",
            &id.replace('-', ""),
            &id[1..],
            &format!("{id}0"),
            &format!("{id}%20"),
            &format!("{id}%0A"),
            &format!("%7B{id}%7D"),
            &format!("urn:uuid:{id}"),
            &id.replace('-', "_"),
            &format!("g{}", &id[1..]),
            &"0".repeat(8192),
        ] {
            let name = format!("{method} the id {}", &malformed[..malformed.len().min(50)]);
            let request = request(method.clone(), &to(malformed));
            cases.push(case(name, request, 400, "invalid_parameter"));
        }
        for unknown in [unknown, "00000000-0000-0000-0000-000000000000"] {
            let request = request(method.clone(), &to(unknown));
            cases.push(case(format!("{method} {unknown}"), request, 404, "file_unknown"));
        }
    }
    let unknown_field = json!({"filename": "note.txt", "one_time": false});
    for (path, body, status, code) in [
        (to(&id), json!({"filename": "other.txt"}), 409, "filename_mismatch"),
        (to(&id), json!({"filename": "NOTE.TXT"}), 409, "filename_mismatch"),
        (to(&id), json!({"filename": ""}), 409, "filename_mismatch"),
        (to(&id), json!({"filename": 1}), 422, "invalid_field"),
        (to(&id), json!({"filename": ["note.txt"]}), 422, "invalid_field"),
        (to(&id), json!({"file_id": unknown}), 422, "invalid_field"),
        (to(&id), unknown_field, 422, "invalid_field"),
        (to(unknown), json!({"filename": "note.txt"}), 404, "file_unknown"),
        (by_body.clone(), json!({}), 422, "invalid_field"),
        (by_body.clone(), json!({"filename": "note.txt"}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": null}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": 1}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": [id]}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": ""}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": "../note.txt"}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": id.replace('-', "")}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": id, "ttl": 1_000_000}), 422, "invalid_field"),
        (by_body.clone(), json!({"file_id": unknown}), 404, "file_unknown"),
        (
            by_body.clone(),
            json!({"file_id": id, "filename": "other.txt"}),
            409,
            "filename_mismatch",
        ),
    ] {
        let request = request(Method::POST, &path).json(&body);
        cases.push(case(format!("{path} {body}"), request, status, code));
    }
    world.refuses(cases).await;
    // RFC 9562, section 4: written in lower case, read in either.
    let answer = send(request(Method::POST, &to(&id.to_uppercase()))).await.is_json(201);
    assert_eq!(answer["file_id"], id.as_str());
    let right = json!({"file_id": id, "filename": "note.txt"});
    send(request(Method::POST, &by_body).json(&right)).await.is(201);
}

#[tokio::test]
async fn wrong_terms_of_a_link_are_refused_by_name() {
    let world = World::start().await;
    let token = world.token("client").await;
    let id = world.some_file().await;
    let path = routes::generate_link(&id);
    let request = |path: &str| world.request(Method::POST, path).bearer_auth(&token);
    let shown = |value: &Value| value.to_string().chars().take(40).collect::<String>();
    let no_numbers =
        [json!("3"), json!(1.5), json!(3.0), json!(1e3), json!(true), json!([60]), json!({})];
    let no_flags = [json!(0), json!(1), json!("true"), json!(""), json!([true]), json!({})];
    let no_texts = [json!(1), json!(true), json!(["a note"]), json!({"text": "a note"})];
    let out_of_bounds =
        [json!(0), json!(-1), json!(101), json!(1_000_000), json!(u64::MAX), json!(1e300)];
    let no_lines = ["", "two\nlines", "two\r\nlines", "a\ttab", "a\0zero", "an escape \u{1b}[2J"];
    let too_long = ["x".repeat(201), "é".repeat(201), "🔑".repeat(201), "x".repeat(MIB)];
    let lines = no_lines.map(|text| json!(text)).into_iter().chain(too_long.map(|it| json!(it)));
    let table = [
        ("max_downloads", no_numbers.iter().chain(&out_of_bounds).cloned().collect::<Vec<_>>()),
        (
            "expires_in",
            no_numbers
                .iter()
                .cloned()
                .chain([json!(59), json!(604_801), json!(-60), json!(i64::MIN)])
                .collect(),
        ),
        ("bind", no_flags.into()),
        ("note", no_texts.into_iter().chain(lines).collect()),
        ("maxDownloads", vec![json!(2)]),
        ("one_time", vec![json!(true)]),
        ("id", vec![json!("x")]),
    ];
    let mut cases = Vec::new();
    for (field, value) in
        table.iter().flat_map(|(field, all)| all.iter().map(move |it| (*field, it)))
    {
        let name = format!("{field} {}", shown(value));
        let by_path = request(&path).json(&json!({field: value}));
        cases.push(case(name.clone(), by_path, 422, "invalid_field").naming(field));
        let by_body = request(routes::GENERATE_LINK_BY_BODY);
        let by_body = by_body.json(&json!({"file_id": id, field: value}));
        let name = format!("{name}, by body");
        cases.push(case(name, by_body, 422, "invalid_field").naming(field));
    }
    for text in [
        "{\"max_downloads\": 01}",
        "{\"bind\": True}",
        "{\"expires_in\": 60 seconds}",
        "{\"note\": 'x'}",
    ] {
        let request = request(&path).header(CONTENT_TYPE, "application/json").body(text);
        cases.push(case(text, request, 400, "malformed_json"));
    }
    world.refuses(cases).await;
    // All that is wrong is told at once.
    let all = json!({"max_downloads": 0, "expires_in": 1, "bind": 1, "note": "", "x": 1});
    let answer = send(request(&path).json(&all)).await;
    answer.refused(422, "invalid_field");
    let errors = answer.json()["errors"].as_array().unwrap().clone();
    let fields: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(fields, ["max_downloads", "expires_in", "bind", "note", "x"]);
    for note in ["x", " ", &"é".repeat(200), "🔑 für Ann: \"Q3\" <b>&amp;"] {
        let link = world.link_with(&id, &token, &json!({"note": note, "max_downloads": 100})).await;
        assert_eq!(link["note"], *note);
    }
}

#[tokio::test]
async fn a_note_is_one_line_also_where_unicode_has_line_ends_of_its_own() {
    let world = World::start().await;
    let token = world.token("client").await;
    let path = routes::generate_link(&world.some_file().await);
    // LINE SEPARATOR, PARAGRAPH SEPARATOR, NEXT LINE: mandatory breaks (UAX #14).
    let cases = ["\u{2028}", "\u{2029}", "\u{85}"].map(|end| {
        let body = json!({"note": format!("two{end}lines")});
        let request = world.request(Method::POST, &path).bearer_auth(&token).json(&body);
        case(format!("{end:?}"), request, 422, "invalid_field").naming("note")
    });
    world.refuses(cases.into()).await;
}
