//! Mails to the uploader.

use futures_util::future::join_all;
use reqwest::multipart::Form;
use serde_json::json;
use share_e2e::api::form_with;
use share_e2e::scene::{CHOSEN, DIGITS};
use share_e2e::{Link, Scene, routes, send};
use tempfile::TempDir;

use crate::SERVER;

/// A form with a file and perhaps a wish to be notified.
fn form(name: &str, notify: Option<&'static str>) -> Form {
    notify.into_iter().fold(form_with(name, DIGITS), |form, wish| form.text("notify", wish))
}

#[tokio::test]
async fn an_uploader_that_asked_for_it_is_notified_once_every_byte_was_sent() {
    for mode in ["stream", "buffered", "presigned"] {
        let mut scene = Scene::start_with(&[("DOWNLOAD_DELIVERY", mode)]).await;
        for (wish, wanted) in [(None, false), (Some("false"), false), (Some("true"), true)] {
            let answer = scene.upload_as(&scene.ops, form("digits.txt", wish)).await;
            scene.file = answer.is(201).id();
            let list = scene.get(routes::LIST_FILES, &scene.client).await;
            assert!(!list.text().contains("notify"), "Clients do not see it: {list:?}");
            let link = scene.plain_link().await;
            let notified = async || scene.store.link(&link.id).await.notified();
            let first = scene.download(&link, "", "bytes=0-4").await;
            // What S3 sends after a redirect the service does not learn.
            let redirected = mode == "presigned";
            assert_eq!(notified().await, Some(wanted && redirected), "{mode}, {wish:?}");
            scene.download(&link, first.lease(), "bytes=5-").await;
            assert_eq!(notified().await, Some(wanted), "{mode}, {wish:?}");
        }
    }
}

#[tokio::test]
async fn at_most_one_mail_goes_out_for_each_link() {
    let data = TempDir::new().unwrap();
    let server = SERVER.start(data.path());
    let api = &server.api;
    let (ops, client) = (api.token("ops").await, api.token("client").await);
    let mut notified = Vec::new();
    for (name, wish, ranges) in [
        ("five-at-once.txt", Some("true"), vec![""; 5]),
        ("in-two-parts.txt", Some("true"), vec!["bytes=0-4", "bytes=5-", "bytes=5-", "bytes=0-9"]),
        ("half.txt", Some("true"), vec!["bytes=0-4"]),
        ("unwanted.txt", Some("false"), vec![""]),
        ("unasked.txt", None, vec![""]),
    ] {
        let file = api.upload_as(&ops, form(name, wish)).await.is(201).id();
        let link = api.link_with(&file, &client, &json!({"max_downloads": 5})).await;
        let url = Link::of(&link).url;
        let get = |lease: &str, range: &str| {
            let request = api.http.get(&url).header("range", range);
            send(if lease.is_empty() { request } else { request.header("download-lease", lease) })
        };
        if ranges[0].is_empty() {
            for answer in join_all(ranges.iter().map(|range| get("", range))).await {
                answer.is_whole();
            }
        } else {
            for range in &ranges {
                get(CHOSEN, range).await.is(206);
            }
        }
        notified.push((name, file));
    }
    let mut mails = server.mails();
    mails.sort_unstable();
    assert_eq!(mails.len(), 2, "{mails:#?}");
    for (mail, (name, file)) in mails.iter().zip(&notified) {
        assert!(
            mail.contains("To:      ops@example.com\n│ Subject: Your file was downloaded"),
            "{mail}"
        );
        for fact in [&format!("│ File: {name}\n"), "link that client had asked for", file.as_str()]
        {
            assert!(mail.contains(fact), "{fact}: {mail}");
        }
        assert!(!mail.contains("token="), "{mail}");
    }
}

#[tokio::test]
async fn of_a_redirect_the_mail_says_that_a_download_has_started_and_no_more() {
    let data = TempDir::new().unwrap();
    let server = SERVER.start_with(&[("DOWNLOAD_DELIVERY", "presigned")], data.path());
    let api = &server.api;
    let file = api.upload_as(&api.token("ops").await, form("digits.txt", Some("true"))).await;
    let link = api.link_with(&file.is(201).id(), &api.token("client").await, &json!({})).await;
    api.open(&Link::of(&link).url).await.is(303);
    let mails = server.mails();
    let [mail] = mails.as_slice() else { panic!("{mails:#?}") };
    for fact in ["Subject: A download of your file has started", "from S3", "is not known here"] {
        assert!(mail.contains(fact), "{fact}: {mail}");
    }
    assert!(!mail.contains("was downloaded"), "{mail}");
}

#[tokio::test]
async fn a_notice_goes_to_who_uploaded_the_file_and_not_to_who_has_the_name_by_now() {
    let mut scene = Scene::start().await;
    let mut links = Vec::new();
    for name in ["known.txt", "of-an-earlier-version.txt"] {
        scene.file = scene.upload_as(&scene.ops, form(name, Some("true"))).await.is(201).id();
        links.push(scene.plain_link().await.url);
    }
    scene.store.forget_uploader(&scene.file).await;
    scene.another_client("olga").await;
    scene.store.give_name("ops", &scene.store.user_named("olga").await).await;
    let paths: Vec<_> = links.iter().map(|url| scene.path_of(url).to_owned()).collect();
    let data = scene.world.stop().await;
    let server = SERVER.start(data.path());
    for path in paths {
        server.api.open(&server.api.url(&path)).await.is_whole();
    }
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "{mails:#?}");
    assert!(mails[0].contains("To:      ops@example.com\n"), "{mails:#?}");
    assert!(mails[0].contains("known.txt\n"), "{mails:#?}");
}
