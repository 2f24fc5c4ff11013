//! What a link permits, `GET /api/links` and `DELETE /api/links/{id}`.

use std::collections::BTreeSet;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use share_e2e::{Answer, World, send};
use tempfile::TempDir;

use crate::access::assert_refused;

/// The file to which the links of these tests lead.
pub(crate) const DIGITS: &[u8] = b"0123456789";

/// A server with one file, and what its Client and Ops can ask of it.
pub(crate) struct Scene {
    pub(crate) world: World,
    /// Access tokens of the Client and of Ops, for a quarter of an hour.
    pub(crate) client: String,
    pub(crate) ops: String,
    /// The file's id.
    pub(crate) file: String,
}

pub(crate) struct Link {
    pub(crate) id: String,
    pub(crate) url: String,
}

impl Scene {
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        let world = World::start_with(variables).await;
        let file = world.upload("digits.txt", DIGITS).await.id();
        let (client, ops) = (world.token("client").await, world.token("ops").await);
        Self { world, client, ops, file }
    }

    /// A link to the file with these terms.
    pub(crate) async fn link(&self, terms: &Value) -> Link {
        let link = self.world.link_with(&self.file, &self.client, terms).await;
        let text = |name: &str| link[name].as_str().unwrap().to_owned();
        Link { id: text("id"), url: text("download_url") }
    }

    pub(crate) fn request(&self, link: &Link) -> RequestBuilder {
        self.world.http.get(&link.url)
    }

    /// A GET with this lease and this range; a header whose value is empty is left out.
    pub(crate) async fn get(&self, link: &Link, lease: &str, range: &str) -> Answer {
        let headers = [("download-lease", lease), ("range", range)];
        let given = headers.into_iter().filter(|(_, value)| !value.is_empty());
        send(given.fold(self.request(link), |it, (name, value)| it.header(name, value))).await
    }

    /// The link as its maker's list shows it.
    pub(crate) async fn listed(&self, link: &Link) -> Value {
        let links = self.world.all("/api/links", 100, &self.client).await;
        links.into_iter().find(|it| it["id"] == link.id).unwrap()
    }

    pub(crate) async fn revoke(&self, link: &Link) -> Answer {
        revoke(&self.world, &link.id, &self.client).await
    }

    /// Every receipt of the file's links, without its hash.
    pub(crate) async fn receipts(&self) -> Vec<Value> {
        let path = format!("/api/files/{}/receipts", self.file);
        let rows = self.world.all(&path, 100, &self.ops).await;
        rows.into_iter().map(|row| row["receipt"].clone()).collect()
    }
}

async fn revoke(world: &World, id: &str, token: &str) -> Answer {
    let request = world.request(Method::DELETE, &format!("/api/links/{id}"));
    send(request.bearer_auth(token)).await
}

/// How many of these receipts are of this event.
pub(crate) fn count(receipts: &[Value], event: &str) -> usize {
    receipts.iter().filter(|receipt| receipt["event"] == event).count()
}

/// The second at which a moment in an answer lies.
pub(crate) fn second(moment: &Value) -> i64 {
    moment.as_str().unwrap().parse::<Timestamp>().unwrap().as_second()
}

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
            (scene.world.now(), scene.world.link_with(&scene.file, &scene.client, asked).await);
        let after = scene.world.now();
        for (name, value) in permitted.as_object().unwrap() {
            assert_eq!(link[name], *value, "{name} of {link}");
        }
        assert_eq!(
            (&link["file_id"], &link["filename"]),
            (&json!(scene.file), &json!("digits.txt"))
        );
        let made = before.as_second()..=after.as_second();
        assert!(made.contains(&(second(&link["expires_at"]) - lifetime)), "{link}");
        let token = link["download_url"].as_str().unwrap().split_once("token=").unwrap().1;
        let id = Sha256::digest(URL_SAFE_NO_PAD.decode(token).unwrap());
        assert_eq!(link["id"], URL_SAFE_NO_PAD.encode(id), "the hash of the token's bytes");

        let listed = scene.world.all("/api/links", 1, &scene.client).await[0].clone();
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
    let path = format!("/api/files/generate-download-link/{}", scene.file);
    let ask = |method: Method, path: &str, body: &Value| {
        send(scene.world.request(method, path).bearer_auth(&scene.client).json(body))
    };
    let answer = ask(Method::POST, "/api/file/generate-load", &load).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["max_downloads"]), (201, &json!(3)));
    let answer = ask(Method::POST, &path, &json!({"max_downloads": 3})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["max_downloads"]), (201, &json!(3)));
    // The body of a GET has no meaning (RFC 9110, section 9.3.1).
    let answer = ask(Method::GET, &path, &json!({"max_downloads": 3})).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["max_downloads"]), (200, &json!(1)));
}

#[tokio::test]
async fn a_link_lives_from_a_minute_to_a_week_or_to_the_limit_of_the_service() {
    for (variables, longest) in
        [(vec![], 604_800), (vec![("LINK_TTL_SECONDS", "60"), ("LINK_MAX_TTL_SECONDS", "90")], 90)]
    {
        let scene = Scene::start_with(&variables).await;
        let path = format!("/api/files/generate-download-link/{}", scene.file);
        let before = scene.world.stored().await;
        for seconds in [59, longest + 1, 0, -60] {
            let request = scene.world.request(Method::POST, &path).bearer_auth(&scene.client);
            let answer = send(request.json(&json!({"expires_in": seconds}))).await;
            assert_refused(&answer, 422, "invalid_field");
            assert_eq!(answer.json()["errors"][0]["field"], "expires_in");
            let limits = format!("60 to {longest}");
            assert!(answer.text().contains(&limits), "{answer:?}");
        }
        assert_eq!(scene.world.stored().await, before);
        for seconds in [60, longest] {
            let terms = json!({"expires_in": seconds, "max_downloads": 2});
            let link = scene.link(&terms).await;
            let end = second(&scene.listed(&link).await["expires_at"]);
            scene.world.pass_until(end - 1);
            assert_eq!(scene.get(&link, "", "").await.status, 200, "the last second of {seconds}");
            scene.world.pass_until(end);
            let before = scene.world.stored().await;
            assert_refused(&scene.get(&link, "", "").await, 410, "link_expired");
            assert_eq!(scene.world.stored().await, before);
        }
    }
}

#[test]
fn a_server_whose_links_would_live_longer_than_permitted_does_not_start_and_says_why() {
    for (name, lifetime, longest) in [
        ("LINK_TTL_SECONDS", "61", "60"),
        ("LINK_TTL_SECONDS", "59", "60"),
        ("LINK_MAX_TTL_SECONDS", "60", "604801"),
        ("LINK_MAX_TTL_SECONDS", "60", "a week"),
    ] {
        let data = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_share-e2e-server"));
        command.args(["--listen", "127.0.0.1:0", "--data-dir"]).arg(data.path());
        command.env("LINK_TTL_SECONDS", lifetime).env("LINK_MAX_TTL_SECONDS", longest);
        let output = command.output().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains(&format!("{name} must")), "{lifetime}, {longest}: {message}");
    }
}

#[tokio::test]
async fn a_link_for_three_downloads_gives_the_file_exactly_three_times() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 3})).await;
    let mut leases = BTreeSet::new();
    for (downloads, state) in [(1, "live"), (2, "live"), (3, "used")] {
        let answer = scene.get(&link, "", "").await;
        assert_eq!((answer.status.as_u16(), answer.bytes.as_slice()), (200, DIGITS));
        leases.insert(answer.header("download-lease").to_owned());
        let listed = scene.listed(&link).await;
        assert_eq!((&listed["downloads"], &listed["state"]), (&json!(downloads), &json!(state)));
    }
    assert_eq!(leases.len(), 3, "each download has a lease of its own");
    let before = scene.world.stored().await;
    for _ in 0..2 {
        assert_refused(&scene.get(&link, "", "").await, 410, "link_used");
    }
    assert_eq!(scene.world.stored().await, before);
    assert_eq!(count(&scene.receipts().await, "redeemed"), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_rivals_for_ten_downloads_exactly_ten_win_each_with_a_lease_of_its_own() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 10})).await;
    let answers = join_all((0..64).map(|_| scene.get(&link, "", ""))).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|it| it.status == 200);
    for answer in lost {
        assert_refused(answer, 410, "link_used");
    }
    assert!(won.iter().all(|answer| answer.bytes == DIGITS));
    let leases: BTreeSet<_> = won.iter().map(|it| it.header("download-lease")).collect();
    assert_eq!((won.len(), leases.len()), (10, 10));
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["downloads"], &listed["state"]), (&json!(10), &json!("used")));
    let receipts = scene.receipts().await;
    assert_eq!((count(&receipts, "redeemed"), count(&receipts, "ended")), (10, 10));
}

#[tokio::test]
async fn a_bound_link_is_for_its_maker_only_from_the_first_byte_to_the_last() {
    let scene = Scene::start().await;
    let other = scene.world.another_client("rosa").await;
    let link = scene.link(&json!({"bind": true})).await;
    let refused = async |lease: &str| {
        let before = scene.world.stored().await;
        let strangers = [
            ("", 401, "missing_token"),
            ("garbage", 401, "invalid_token"),
            (&other, 403, "link_bound"),
            (&scene.ops, 403, "wrong_role"),
        ];
        for (token, status, code) in strangers {
            for method in [Method::GET, Method::POST, Method::HEAD] {
                let head = method == Method::HEAD;
                let mut request =
                    scene.world.http.request(method, &link.url).header("range", "bytes=0-4");
                if !token.is_empty() {
                    request = request.bearer_auth(token);
                }
                if !lease.is_empty() {
                    request = request.header("download-lease", lease);
                }
                let answer = send(request).await;
                if head {
                    assert_eq!(answer.status, status, "{answer:?}");
                } else {
                    assert_refused(&answer, status, code);
                }
            }
        }
        let page = send(scene.request(&link).header("accept", "text/html")).await;
        assert_eq!(page.status, 401, "a page tells about the file, too");
        assert!(!page.text().contains("digits.txt"), "{page:?}");
        assert_eq!(scene.world.stored().await, before, "nothing was spent or written");
    };
    refused("").await;
    let first =
        send(scene.request(&link).bearer_auth(&scene.client).header("range", "bytes=0-4")).await;
    assert_eq!((first.status.as_u16(), first.bytes.as_slice()), (206, b"01234".as_slice()));
    let lease = first.header("download-lease");
    refused(lease).await;
    let rest = scene.request(&link).bearer_auth(&scene.client).header("range", "bytes=5-");
    let rest = send(rest.header("download-lease", lease)).await;
    assert_eq!((rest.status.as_u16(), rest.bytes.as_slice()), (206, b"56789".as_slice()));
}

/// One link of each state, the oldest first.
async fn of_every_state(scene: &Scene) -> Vec<(Link, &'static str)> {
    let expired = scene.link(&json!({"expires_in": 60})).await;
    scene.world.pass(60);
    let (live, used) = (scene.link(&json!({})).await, scene.link(&json!({})).await);
    let (revoked, begun) =
        (scene.link(&json!({})).await, scene.link(&json!({"max_downloads": 2})).await);
    assert_eq!(scene.get(&used, "", "").await.status, 200);
    assert_eq!(scene.get(&begun, "", "").await.status, 200);
    assert_eq!(scene.revoke(&revoked).await.status, 204);
    vec![
        (expired, "expired"),
        (live, "live"),
        (used, "used"),
        (revoked, "revoked"),
        (begun, "live"),
    ]
}

#[tokio::test]
async fn a_list_shows_the_callers_links_newest_first_in_their_states_without_gaps_or_repeats() {
    let scene = Scene::start().await;
    let other = scene.world.another_client("rosa").await;
    assert_eq!(scene.world.get("/api/links", &other).await.text(), "[]");
    let mut links = Vec::new();
    for _ in 0..2 {
        scene.world.link(&scene.file, &other).await;
        links.extend(of_every_state(&scene).await);
    }
    let expected: Vec<_> =
        links.iter().rev().map(|(link, state)| (link.id.as_str(), *state)).collect();
    for limit in [1, 3, 4, 9, 10, 11, 100] {
        let listed = scene.world.all("/api/links", limit, &scene.client).await;
        let listed: Vec<_> = listed
            .iter()
            .map(|it| (it["id"].as_str().unwrap(), it["state"].as_str().unwrap()))
            .collect();
        assert_eq!(listed, expected, "limit {limit}");
    }
    let others = scene.world.all("/api/links", 100, &other).await;
    assert_eq!(others.len(), 2);
    assert!(others.iter().all(|it| links.iter().all(|(link, _)| it["id"] != link.id)));
}

#[tokio::test]
async fn without_a_limit_a_page_has_fifty_links_and_a_page_of_a_hundred_is_full() {
    let scene = Scene::start().await;
    for _ in 0..101 {
        scene.world.link(&scene.file, &scene.client).await;
    }
    for (query, length) in [("", 50), ("?limit=100", 100)] {
        let page = scene.world.get(&format!("/api/links{query}"), &scene.client).await;
        assert_eq!(page.json().as_array().unwrap().len(), length);
        assert!(page.next().is_some());
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
    let receipts = |file: &str| format!("/api/files/{file}/receipts");
    let lists = [
        ("/api/files/list".to_owned(), client),
        ("/api/links".to_owned(), client),
        (receipts(&scene.file), ops),
        (receipts(&another_file), ops),
    ];
    let mut cursors = Vec::new();
    for (path, token) in &lists {
        let page = world.get(&format!("{path}?limit=1"), token).await;
        cursors.push(page.next().unwrap().split_once("cursor=").unwrap().1.to_owned());
    }
    for (place, (path, token)) in lists.iter().enumerate() {
        for (origin, cursor) in cursors.iter().enumerate() {
            let answer = world.get(&format!("{path}?limit=1&cursor={cursor}"), token).await;
            if origin == place {
                assert_eq!(answer.status, 200, "{path}: {answer:?}");
            } else {
                assert_refused(&answer, 400, "invalid_parameter");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_another_clients_list_is_refused() {
    let scene = Scene::start().await;
    let rosa = scene.world.another_client("rosa").await;
    for token in [&rosa, &scene.client, &scene.client, &rosa] {
        scene.world.link(&scene.file, token).await;
    }
    let page = scene.world.get("/api/links?limit=1", &scene.client).await;
    let next = page.next().unwrap().strip_prefix(&scene.world.url("")).unwrap();
    assert_refused(&scene.world.get(next, &rosa).await, 400, "invalid_parameter");
}

#[tokio::test]
async fn a_link_that_is_taken_back_is_over_at_once_and_twice_is_as_good_as_once() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"expires_in": 60})).await;
    let answer = scene.revoke(&link).await;
    assert_eq!((answer.status.as_u16(), answer.bytes.len()), (204, 0));
    assert_eq!(scene.listed(&link).await["state"], "revoked");
    let before = scene.world.stored().await;
    assert_eq!(scene.revoke(&link).await.status, 204);
    assert_refused(&scene.get(&link, "", "").await, 410, "link_revoked");
    assert_refused(&scene.get(&link, &"A".repeat(43), "").await, 410, "link_revoked");
    assert_eq!(send(scene.world.http.head(&link.url)).await.status, 410);
    let page = send(scene.request(&link).header("accept", "text/html")).await;
    assert_eq!(page.status, 410);
    assert!(page.text().contains("This link has been taken back"), "{page:?}");
    scene.world.pass(60);
    assert_eq!(scene.revoke(&link).await.status, 204, "also after its time");
    assert_refused(&scene.get(&link, "", "").await, 410, "link_revoked");
    assert_eq!(scene.world.stored().await, before, "only once is it recorded");
    assert_eq!(count(&scene.receipts().await, "revoked"), 1);
}

#[tokio::test]
async fn only_its_maker_can_take_a_link_back() {
    let scene = Scene::start().await;
    let other = scene.world.another_client("rosa").await;
    let links = of_every_state(&scene).await;
    let before = scene.world.stored().await;
    for (link, _) in &links {
        assert_refused(&revoke(&scene.world, &link.id, &other).await, 404, "link_unknown");
    }
    // Who has the token cannot take back with it, nor does the name tell the token.
    let token = links[1].0.url.split_once("token=").unwrap().1;
    for unknown in [token, &"A".repeat(43)] {
        assert_refused(&revoke(&scene.world, unknown, &scene.client).await, 404, "link_unknown");
    }
    let by_id = links[1].0.url.replace(token, &links[1].0.id);
    assert_refused(&scene.world.open(&by_id).await, 404, "link_unknown");
    assert_eq!(scene.world.stored().await, before);
}

#[tokio::test]
async fn a_link_that_is_used_or_expired_can_be_taken_back_and_its_lease_ends() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"expires_in": 60})).await;
    let lease = scene.get(&link, "", "bytes=0-4").await.header("download-lease").to_owned();
    assert_eq!(scene.get(&link, &lease, "bytes=5-5").await.status, 206);
    assert_eq!(scene.revoke(&link).await.status, 204);
    assert_refused(&scene.get(&link, &lease, "bytes=6-").await, 410, "link_revoked");
    assert_refused(&scene.get(&link, "", "").await, 410, "link_revoked");
    let expired = scene.link(&json!({"expires_in": 60, "max_downloads": 2})).await;
    let lease = scene.get(&expired, "", "bytes=0-4").await.header("download-lease").to_owned();
    scene.world.pass(60);
    assert_eq!(scene.get(&expired, &lease, "bytes=5-5").await.status, 206);
    assert_eq!(scene.revoke(&expired).await.status, 204);
    assert_refused(&scene.get(&expired, &lease, "bytes=6-").await, 410, "link_revoked");
}

#[tokio::test]
async fn what_is_left_of_a_link_for_several_downloads_can_be_taken_back() {
    let scene = Scene::start().await;
    let link = scene.link(&json!({"max_downloads": 3})).await;
    let lease = scene.get(&link, "", "bytes=0-4").await.header("download-lease").to_owned();
    assert_eq!(scene.revoke(&link).await.status, 204);
    let before = scene.world.stored().await;
    assert_refused(&scene.get(&link, "", "").await, 410, "link_revoked");
    assert_refused(&scene.get(&link, &lease, "bytes=5-").await, 410, "link_revoked");
    assert_eq!(scene.world.stored().await, before);
    let listed = scene.listed(&link).await;
    assert_eq!((&listed["state"], &listed["downloads"]), (&json!("revoked"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_32_downloads_and_a_revocation_nothing_is_redeemed_after_it() {
    let scene = Scene::start().await;
    let mut seen = 0;
    for round in 0..20_usize {
        let max_downloads = if round % 2 == 0 { 1 } else { 5 };
        let link = scene.link(&json!({"max_downloads": max_downloads})).await;
        // The revocation comes first, last, or in between.
        let requests = (0..33).map(async |place| {
            let revokes = place == round * 7 % 33;
            let answer = if revokes {
                revoke(&scene.world, &link.id, &scene.client).await
            } else {
                scene.get(&link, "", "").await
            };
            (revokes, answer)
        });
        let (mut won, mut used) = (0, false);
        for (revokes, answer) in join_all(requests).await {
            match (revokes, answer.status.as_u16()) {
                (true, status) => assert_eq!(status, 204, "round {round}"),
                (false, 200) => won += 1,
                (false, _) if answer.code() == "link_used" => used = true,
                (false, _) => assert_refused(&answer, 410, "link_revoked"),
            }
        }
        let receipts = scene.receipts().await.split_off(seen);
        seen += receipts.len();
        assert_eq!(count(&receipts, "redeemed"), won, "round {round}");
        assert_eq!(count(&receipts, "revoked"), 1, "round {round}");
        let after = receipts.iter().skip_while(|it| it["event"] != "revoked");
        assert!(after.clone().all(|it| it["event"] != "redeemed"), "round {round}: {receipts:?}");
        assert!(won <= max_downloads && (won == max_downloads || !used), "round {round}: {won}");
        assert_eq!(scene.listed(&link).await["state"], "revoked", "round {round}");
    }
}
