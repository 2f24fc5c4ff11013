//! Lists of files: search, order, and pages that neither skip nor repeat a file while others come
//! and go.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fastrand::Rng;
use jiff::SignedDuration;
use reqwest::Url;
use serde_json::{Value, json};
use share_contract::FileSort;
use share_e2e::{Ops, World, routes};
use share_model::{
    Content, ContentDigest, EmailAddress, File, FileId, FileName, FileState, Recipient, Recipients,
    Role, User, UserId, Username,
};
use share_store::{Actor, Clock, Created, FileChanges, RequestContext, Shelf, ShelfQuery};

const SORTS: [&str; 4] = ["-uploaded_at", "uploaded_at", "filename", "-filename"];

/// The path of a list with this query.
fn path(list: &str, query: &[(&str, &str)]) -> String {
    let url = Url::parse_with_params("http://x.invalid", query).unwrap();
    format!("{list}?{}", url.query().unwrap())
}

async fn found(world: &World, list: &str, token: &str, query: &[(&str, &str)]) -> Vec<String> {
    let files = world.get(&path(list, query), token).await.is_json(200);
    let name = |file: &Value| file["filename"].as_str().unwrap().to_owned();
    files.as_array().unwrap().iter().map(name).collect()
}

#[tokio::test]
async fn a_search_finds_what_a_name_contains_whatever_its_case_and_composition() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let client = world.token("client").await;
    let names = [
        "Übersicht 2026.txt",
        "u\u{308}bersicht alt.txt",
        "Straße.txt",
        "100% (final) a+b&c=d #1.txt",
        "it's \"quoted\"; [x]_y*z?.txt",
        "plain.txt",
        "日本語の書類.txt",
    ];
    for name in names {
        ops.file_named(name, &json!({})).await;
    }
    let umlauts = ["u\u{308}bersicht alt.txt", "Übersicht 2026.txt"];
    for (search, expected) in [
        ("übersicht", &umlauts[..]),
        ("ÜBERSICHT", &umlauts),
        ("U\u{308}berSicht", &umlauts),
        ("ubersicht", &[]),
        ("STRASSE", &["Straße.txt"]),
        ("straße", &["Straße.txt"]),
        ("100%", &["100% (final) a+b&c=d #1.txt"]),
        ("A+B&C=D #1", &["100% (final) a+b&c=d #1.txt"]),
        ("%", &["100% (final) a+b&c=d #1.txt"]),
        ("a b", &[]),
        ("_y*Z?", &["it's \"quoted\"; [x]_y*z?.txt"]),
        ("'s \"", &["it's \"quoted\"; [x]_y*z?.txt"]),
        ("*", &["it's \"quoted\"; [x]_y*z?.txt"]),
        (".*", &[]),
        ("書類", &["日本語の書類.txt"]),
        ("plain.txt", &["plain.txt"]),
        ("xplain", &[]),
        (":search", &[]),
        ("\0", &[]),
    ] {
        for (list, token) in [(routes::LIST_FILES, &client), (routes::LIST_UPLOADED, &ops.token)] {
            let found = found(&world, list, token, &[("q", search)]).await;
            assert_eq!(found, expected, "{list}: {search}");
        }
    }
}

#[tokio::test]
async fn a_search_has_1_to_100_characters_and_an_order_is_one_of_four() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let client = world.token("client").await;
    let name = format!("{}.txt", "ü".repeat(100));
    ops.file_named(&name, &json!({})).await;
    for (list, token) in [(routes::LIST_FILES, &client), (routes::LIST_UPLOADED, &ops.token)] {
        for length in [1, 99, 100] {
            let found = found(&world, list, token, &[("q", &"Ü".repeat(length))]).await;
            assert_eq!(found, std::slice::from_ref(&name), "{length}");
        }
        for query in [
            ("q", "ü".repeat(101).as_str()),
            ("q", ""),
            ("sort", ""),
            ("sort", "size"),
            ("sort", "Filename"),
            ("sort", "+filename"),
        ] {
            let answer = world.get(&path(list, &[query]), token).await;
            answer.refused(400, "invalid_parameter");
        }
    }
}

#[tokio::test]
async fn each_order_is_that_of_times_or_of_names() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let client = world.token("client").await;
    for (name, recipients) in [
        ("b.txt", json!("everyone")),
        ("A.txt", json!(["client"])),
        ("ä.txt", json!(["client@example.com"])),
        ("C.txt", json!("everyone")),
        ("a.txt", json!(["client", "client@example.com"])),
        ("10.txt", json!(["client"])),
    ] {
        ops.file_named(name, &json!({"recipients": recipients})).await;
    }
    let oldest = ["b.txt", "A.txt", "ä.txt", "C.txt", "a.txt", "10.txt"];
    let by_name = ["10.txt", "A.txt", "a.txt", "b.txt", "C.txt", "ä.txt"];
    let backwards = |names: [&'static str; 6]| {
        let mut names = names;
        names.reverse();
        names
    };
    for (sort, expected) in
        SORTS.into_iter().zip([backwards(oldest), oldest, by_name, backwards(by_name)])
    {
        for (list, token) in [(routes::LIST_FILES, &client), (routes::LIST_UPLOADED, &ops.token)] {
            for limit in ["1", "2", "5", "6", "7"] {
                let first = path(list, &[("sort", sort), ("limit", limit)]);
                let (mut seen, mut next) = (Vec::new(), Some(first));
                while let Some(page) = next {
                    let answer = world.get(&page, token).await;
                    let files = answer.is_json(200);
                    let files = files.as_array().unwrap().iter();
                    seen.extend(files.map(|it| it["filename"].as_str().unwrap().to_owned()));
                    // As it stands: it has the order too.
                    next = answer.next().map(|url| world.path_of(url).to_owned());
                }
                assert_eq!(seen, expected, "{list}, {sort}, {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_leads_to_the_next_one_of_the_same_search_and_order_whatever_is_searched_for() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let client = world.token("client").await;
    for number in 0..5 {
        ops.file_named(&format!("{number} ÜŒß%+&=# x.txt"), &json!({})).await;
        ops.file(&format!("{number}.txt"), &json!({})).await;
    }
    let long = "ß".repeat(100);
    ops.file_named(&format!("1{long}.txt"), &json!({})).await;
    ops.file_named(&format!("2{long}.txt"), &json!({})).await;
    for (search, count) in [("ÜŒß%+&=# X", 5), ("%", 5), ("#", 5), (&long, 2), ("+&", 5)] {
        for sort in SORTS {
            let query = [("q", search), ("sort", sort), ("limit", "1")];
            let (mut seen, mut next) = (Vec::new(), Some(path(routes::LIST_FILES, &query)));
            while let Some(page) = next {
                let answer = world.get(&page, &client).await;
                let files = answer.is_json(200);
                seen.extend(files.as_array().unwrap().iter().map(|file| file["id"].to_string()));
                next = answer.next().map(|url| world.path_of(url).to_owned());
            }
            let unique: BTreeSet<_> = seen.iter().collect();
            assert_eq!((seen.len(), unique.len()), (count, count), "{search}, {sort}");
        }
    }
}

#[tokio::test]
async fn a_cursor_is_good_for_one_search_one_order_and_one_reader() {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let (client, anna) = (world.token("client").await, world.another_client("anna").await);
    for name in ["a1.txt", "a2.txt", "a3.txt"] {
        ops.file(name, &json!({})).await;
    }
    let queries: [&[(&str, &str)]; 5] = [
        &[],
        &[("q", "a")],
        &[("q", "a2")],
        &[("sort", "filename")],
        &[("q", "a"), ("sort", "filename")],
    ];
    let readers = [
        (routes::LIST_FILES, &client),
        (routes::LIST_FILES, &anna),
        (routes::LIST_UPLOADED, &ops.token),
    ];
    let mut lists = Vec::new();
    for (list, token) in readers {
        for query in queries {
            let first = [query, &[("limit", "1")]].concat();
            let answer = world.get(&path(list, &first), token).await;
            let cursor = answer.next().and_then(|url| url.split_once("cursor="));
            lists.push((list, token, query, cursor.map(|(_, cursor)| cursor.to_owned())));
        }
    }
    let mut refused = 0;
    for (from, (_, _, _, cursor)) in lists.iter().enumerate() {
        let Some(cursor) = cursor else { continue };
        for (to, (list, token, query, _)) in lists.iter().enumerate() {
            let query = [*query, &[("limit", "1"), ("cursor", cursor.as_str())]].concat();
            let answer = world.get(&path(list, &query), token).await;
            if from == to {
                answer.is(200);
            } else {
                answer.refused(400, "invalid_parameter");
                refused += 1;
            }
        }
    }
    assert!(refused > 100, "{refused}");
}

/// One list, read page by page while files come and go.
async fn read_while_files_come_and_go(seed: u64, sort: &str) {
    let world = World::start().await;
    let ops = Ops::of(&world).await;
    let client = world.token("client").await;
    world.another_client("anna").await;
    let mut random = Rng::with_seed(seed);
    let audiences = [
        json!("everyone"),
        json!(["client"]),
        json!(["client@example.com"]),
        json!(["client", "client@example.com", "anna"]),
        json!(["anna"]),
    ];
    let upload = async |random: &mut Rng| {
        let place = random.usize(..audiences.len());
        let name = format!("{}.txt", random.char('a'..='e'));
        let file = ops.file(&name, &json!({"recipients": audiences[place]})).await;
        (file, place < 4)
    };
    // Each file that is for the client, and whether it has been there all the time.
    let mut files = BTreeMap::new();
    for _ in 0..14 {
        let (file, visible) = upload(&mut random).await;
        if visible {
            files.insert(file, true);
        }
    }
    let (mut shown, mut places) = (Vec::new(), Vec::new());
    let mut next = Some(path(routes::LIST_FILES, &[("sort", sort), ("limit", "1")]));
    while let Some(page) = next {
        let answer = world.get(&page, &client).await;
        for file in answer.is_json(200).as_array().unwrap() {
            let id = file["id"].as_str().unwrap().to_owned();
            let name = file["filename"].as_str().unwrap().to_owned();
            let at = file["uploaded_at"].as_str().unwrap().to_owned();
            places.push(if sort.ends_with("filename") { name } else { at });
            shown.push(id);
        }
        next = answer.next().map(|url| world.path_of(url).to_owned());
        if random.bool() && files.len() < 40 {
            let (file, visible) = upload(&mut random).await;
            if visible {
                files.insert(file, false);
            }
        }
        if random.u32(..3) == 0 {
            let all: Vec<_> = files.keys().cloned().collect();
            if let Some(file) = random.choice(&all) {
                // Also the one that was just seen, at which the next page begins.
                let last = shown.last().filter(|last| random.bool() && files.contains_key(*last));
                let file = last.unwrap_or(file).clone();
                ops.delete(&file).await.is(204);
                files.remove(&file);
            }
        }
    }
    let unique: BTreeSet<_> = shown.iter().collect();
    assert_eq!(unique.len(), shown.len(), "seed {seed}, {sort}: none is repeated");
    for (file, _) in files.iter().filter(|(_, always)| **always) {
        assert!(unique.contains(file), "seed {seed}, {sort}: {file} is skipped");
    }
    let mut ordered = places.clone();
    ordered.sort();
    if sort.starts_with('-') {
        ordered.reverse();
    }
    assert_eq!(places, ordered, "seed {seed}, {sort}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_one_file_show_each_file_once_while_files_come_and_go() {
    for seed in 0..4 {
        for sort in SORTS {
            read_while_files_come_and_go(seed, sort).await;
        }
    }
}

/// What a test puts on the shelf without HTTP.
struct Stock {
    changes: FileChanges,
    clock: Clock,
    random: Rng,
}

impl Stock {
    async fn put(&mut self, name: &str, recipients: &Recipients, number: i64) -> FileId {
        let now = (self.clock)();
        let mut random = [0; 10];
        self.random.fill(&mut random);
        let content = Content {
            content_type: "text/plain".to_owned(),
            sha256: ContentDigest::of(b"x"),
            uploaded_at: now + SignedDuration::from_millis(number),
        };
        let file = File {
            id: FileId::new(now, random),
            filename: FileName::parse(name).unwrap(),
            size: Some(1),
            promised_sha256: None,
            uploaded_by: Username::parse("ops").unwrap(),
            uploader: None,
            recipients: recipients.clone(),
            notify_recipients: false,
            notify: false,
            note: None,
            expires_at: None,
            state: FileState::Available(content),
            revision: 1,
        };
        let actor = Actor {
            user: None,
            context: RequestContext { clock: &self.clock, request_id: "a test" },
        };
        let created = self.changes.create(&file, None, actor).await.unwrap();
        assert!(matches!(created, Created::Now));
        file.id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_through_thousands_of_files_finds_each_match_once_over_short_pages() {
    let world = World::start().await;
    let platform = world.server.backend().platform().await;
    let shelf = Shelf::connect(&platform).unwrap();
    let now = world.now();
    let mut stock = Stock {
        changes: FileChanges::connect(&platform).unwrap(),
        clock: Arc::new(move || now),
        random: Rng::with_seed(7),
    };
    let address = EmailAddress::parse("anna@example.org").unwrap();
    let id = UserId::new(now, [1; 10]);
    let name = Username::parse("anna").unwrap();
    let mut anna = User::new(id, name, address.clone(), Role::Client, now);
    anna.verified = true;
    let named = Recipient::Client { id: anna.id, username: anna.username.clone() };
    let audiences = [
        Recipients::Everyone,
        Recipients::Only(vec![named.clone()]),
        Recipients::Only(vec![named, Recipient::Address(address)]),
    ];
    // Long names, so that DynamoDB reads the list in several pieces of 1 MB. One in 200 matches.
    let filler = "x".repeat(230);
    let (mut matches, mut by_name) = (Vec::new(), Vec::new());
    for number in 0..3200_i64 {
        let scattered = number * 1371 % 3200;
        let is_match = number % 200 == 100 || (1500..1503).contains(&number);
        let what = if is_match { "wanted" } else { "other" };
        let name = format!("{scattered:04}-{what}-{filler}.txt");
        // Almost all of them are in one list.
        let place =
            if number % 40 < 38 && !is_match { 0 } else { usize::try_from(number % 3).unwrap() };
        let id = stock.put(&name, &audiences[place], number).await;
        if is_match {
            matches.push(id);
            by_name.push((name, id));
        }
    }
    by_name.sort_by(|one, other| one.0.cmp(&other.0));
    let by_name: Vec<_> = by_name.into_iter().map(|(_, id)| id).collect();
    let backwards = |ids: &[FileId]| ids.iter().rev().copied().collect::<Vec<_>>();
    for (sort, expected) in [
        (FileSort::Newest, backwards(&matches)),
        (FileSort::Oldest, matches.clone()),
        (FileSort::Name, by_name.clone()),
        (FileSort::NameBackwards, backwards(&by_name)),
    ] {
        for limit in [1, 3, 100] {
            let (mut seen, mut cursor, mut pages, mut short) = (Vec::new(), None, 0, 0);
            loop {
                let search = Some("wanted");
                let query = ShelfQuery { limit, cursor: cursor.as_ref(), sort, search };
                let page = shelf.for_client(&anna, &query, now).await.unwrap();
                assert!(page.records.len() <= limit);
                pages += 1;
                short += usize::from(page.records.len() < limit && page.next.is_some());
                seen.extend(page.records.iter().map(|file| file.id));
                match page.next {
                    Some(next) => cursor = Some(next),
                    None => break,
                }
                assert!(pages < 100, "{sort:?}, {limit}: it comes to an end");
            }
            assert_eq!(seen, expected, "{sort:?}, {limit}");
            assert!(limit < 100 || short > 0, "{sort:?}: the list is read in pieces");
        }
    }
}
