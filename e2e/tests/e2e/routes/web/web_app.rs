//! `GET /` and `GET /app/{file}`.

use reqwest::Method;
use reqwest::header::ACCEPT_ENCODING;
use share_e2e::{World, routes, send};

/// What the page names in its own folder.
fn files_of(page: &str) -> Vec<&str> {
    page.split('"').filter(|text| text.starts_with("app/")).collect()
}

#[tokio::test]
async fn the_page_may_load_nothing_but_its_own_and_ask_nobody_but_its_service_and_s3() {
    let world = World::start().await;
    let answer = send(world.request(Method::GET, routes::APP)).await;
    answer.is(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
    let policy = answer.header("content-security-policy");
    let mut rules = policy.split("; ");
    assert_eq!(rules.next(), Some("default-src 'none'"));
    let s3 =
        world.server.backend().variables["AWS_ENDPOINT_URL_S3"].trim_end_matches('/').to_owned();
    let asked = format!("connect-src 'self' {s3}");
    assert!(policy.split("; ").any(|it| it == asked), "{asked} in {policy}");
    let others = policy.replace(&asked, "");
    assert!(!others.contains("unsafe") && !others.contains("http"), "{policy}");
    for rule in ["base-uri 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"]
    {
        assert!(policy.split("; ").any(|it| it == rule), "{rule} in {policy}");
    }
    let page = answer.text();
    assert!(!page.contains("://") && !page.contains("=\"/"), "every address is relative: {page}");
}

#[tokio::test]
async fn what_the_page_names_is_kept_for_ever_under_a_name_that_says_its_content() {
    let world = World::start().await;
    let page = send(world.request(Method::GET, routes::APP)).await.text();
    let files = files_of(&page);
    for kind in [".mjs", ".css", ".svg"] {
        assert!(files.iter().any(|file| file.ends_with(kind)), "{kind} in {files:?}");
    }
    for file in files {
        let path = format!("/{file}");
        let plain = send(world.request(Method::GET, &path)).await;
        plain.is(200);
        assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(plain.header("vary"), "Accept-Encoding");
        assert_eq!(plain.header("content-encoding"), "");
        let request = world.request(Method::GET, &path).header(ACCEPT_ENCODING, "gzip, br");
        let packed = send(request).await;
        assert_eq!(packed.header("content-encoding"), "br");
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &*packed.bytes, &mut unpacked).unwrap();
        assert!(unpacked == plain.bytes && packed.bytes.len() < plain.bytes.len());
    }
    send(world.request(Method::GET, "/app/app.css")).await.refused(404, "file_unknown");
}
