//! `POST /api/files/upload`.

use serde_json::json;
use share_e2e::forms::{BOUNDARY, Uploader, form, form_of};
use share_e2e::matchers::case;
use share_e2e::origin::{Asked, Origin, Step, cut, part, status, whole};
use share_e2e::samples::{docx, docx_with, noise, pdf, png, sha256, zip_of_size};
use share_e2e::{World, routes, send};

use crate::MIB;

#[tokio::test]
async fn a_file_whose_name_deceives_escapes_or_breaks_a_header_is_refused() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let too_long = format!("{}.txt", "é".repeat(148));
    assert_eq!(too_long.len(), 300);
    let mut cases: Vec<_> = [
        "",
        " ",
        ".",
        "..",
        "../note.txt",
        "../../etc/passwd.txt",
        "/etc/note.txt",
        "folder/note.txt",
        "folder\\note.txt",
        "C:\\note.txt",
        ".htaccess",
        ".note.txt",
        " note.txt",
        "note.txt ",
        "note.txt.",
        "no\tte.txt",
        "exe.\u{202e}txt",
        "\u{200f}note.txt",
        "no\u{2066}te.txt",
        "no\u{feff}te.txt",
        "no\u{85}te.txt",
        "no\u{2028}te.txt",
        &too_long,
        &format!("{}.txt", "a".repeat(252)),
        &format!("{}.txt", "a".repeat(100_000)),
    ]
    .into_iter()
    .map(|name| {
        let shown = format!("the name {:?}", name.chars().take(30).collect::<String>());
        case(shown, uploader.form(form_of(name, b"a note")), 422, "invalid_field")
    })
    .collect();
    // Characters that no header can hold, and line breaks, break the form itself.
    for name in ["no\0te.txt", "no\x7fte.txt", "no\x1bte.txt", "no\r\nte.txt"] {
        let request = uploader.form(form_of(name, b"a note"));
        cases.push(case(format!("the name {name:?}"), request, 400, "malformed_multipart"));
    }
    // A line break that forges a header leaves a name without an end, which is no name.
    let request = uploader.form(form_of("no\r\nSet-Cookie: te.txt", b"a note"));
    cases.push(case("a forged header in the name", request, 422, "invalid_field"));
    let latin_1 = b"name=\"file\"; filename=\"\xfcber.txt\"";
    let request = uploader.form(form(&[(latin_1, b"a note")]));
    cases.push(case("a name in Latin-1", request, 422, "invalid_field"));
    for name in ["report.pdf.exe", "report", "report.", "page.html", "macro.docm", "run.sh"] {
        if !name.ends_with('.') {
            let request = uploader.form(form_of(name, &pdf()));
            cases.push(case(format!("the name {name}"), request, 415, "file_type_not_allowed"));
        }
    }
    world.refuses(cases).await;
}

#[tokio::test]
async fn a_file_whose_content_is_not_what_its_name_says_is_refused() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let (zip, docx) = (zip_of_size(1000), docx());
    let mut cases: Vec<_> = [
        ("png.pdf", png()),
        ("pdf.png", pdf()),
        ("png.jpg", png()),
        ("png.jpeg", png()),
        ("png.txt", png()),
        ("pdf.txt", pdf()),
        ("pdf.csv", pdf()),
        ("program.txt", b"\x7fELF\x02\x01\x01\0".to_vec()),
        ("program.pdf", b"MZ\x90\0\x03\0\0\0".to_vec()),
        ("text.pdf", b"a note".to_vec()),
        // ISO 32000 readers look for the header in the first 1024 bytes.
        ("late.pdf", [" ".repeat(1024).as_bytes(), &pdf()].concat()),
        ("text.zip", b"a note".to_vec()),
        ("start-of-a.zip", zip[..3].to_vec()),
        ("zip.docx", zip.clone()),
        ("zip.pptx", zip.clone()),
        ("zip.xlsx", zip),
        ("docx.xlsx", docx.clone()),
        ("docx.pptx", docx.clone()),
        ("first-half-of-a.docx", docx[..docx.len() / 2].to_vec()),
        ("second-half-of-a.docx", docx[docx.len() / 2..].to_vec()),
        ("start-of-a.docx", docx[..4].to_vec()),
        ("docx.pdf", docx),
    ]
    .into_iter()
    .map(|(name, content)| {
        case(name, uploader.form(form_of(name, &content)), 415, "content_mismatch")
    })
    .collect();
    for name in ["empty.txt", "empty.pdf", "empty.docx", "empty.zip"] {
        cases.push(case(name, uploader.form(form_of(name, b"")), 422, "invalid_field"));
    }
    world.refuses(cases).await;
}

#[tokio::test]
async fn a_file_that_is_dangerous_or_broken_inside_is_refused_with_the_reason() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let zip = zip_of_size(1000);
    let macros = docx_with(&[("word/vbaProject.bin", b"code")]);
    let cases = [
        ("self-extracting.zip", [b"MZ".as_slice(), &zip].concat()),
        ("longer.zip", [zip.as_slice(), b"more"].concat()),
        ("picture-and-page.png", [png().as_slice(), b"<script>"].concat()),
        ("picture-and-archive.png", [png(), zip].concat()),
        ("latin-1.csv", b"caf\xe9;1\r\n".to_vec()),
        ("macros.docx", macros.clone()),
        ("macros.zip", macros.clone()),
        ("object.docx", docx_with(&[("word/embeddings/oleObject1.bin", b"object")])),
    ]
    .into_iter()
    .map(|(name, content)| case(name, uploader.form(form_of(name, &content)), 422, "file_rejected"))
    .collect();
    world.refuses(cases).await;
    let answer = send(uploader.form(form_of("macros.docx", &macros))).await;
    assert_eq!(answer.json()["detail"], "The file was not taken: the document has macros.");
}

#[tokio::test]
async fn a_text_that_mentions_other_types_is_a_text() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    for (name, content) in [
        ("how-to.txt", "A PDF file begins with %PDF-1.7."),
        ("signatures.csv", "type;first bytes\npdf;%PDF\nzip;PK\npng;PNG\n"),
        ("page.txt", "<!DOCTYPE html><script>alert(1)</script>"),
        ("script.txt", "#!/bin/sh\n"),
    ] {
        let answer = send(uploader.form(form_of(name, content.as_bytes()))).await;
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        let text = ["text/plain", "text/csv"];
        assert!(text.iter().any(|text| answer.json()["content_type"] == *text), "{answer:?}");
    }
}

#[tokio::test]
async fn a_form_that_is_broken_or_not_one_file_is_refused() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let file: (&[u8], &[u8]) = (b"name=\"file\"; filename=\"note.txt\"", b"a note");
    let good = form(&[file]);
    let other = form(&[file, (b"name=\"comment\"", b"for you")]);
    let first = form(&[(b"name=\"comment\"", b"for you"), file]);
    let named: &[u8] = b"name=\"document\"; filename=\"note.txt\"";
    let one_file = [
        ("two files", form(&[file, file])),
        ("no part at all", form(&[])),
        ("a part of another name", form(&[(named, b"a note")])),
        ("a part that is no file", form(&[(b"name=\"file\"", b"a note")])),
        ("a part without a name", form(&[(b"filename=\"note.txt\"", b"a note")])),
        ("a field after the file", other),
        ("a field before the file", first),
        ("FILE for file", form(&[(b"name=\"FILE\"; filename=\"note.txt\"", b"a note")])),
    ];
    let mut cases: Vec<_> = one_file
        .into_iter()
        .map(|(name, body)| case(name, uploader.form(body), 422, "invalid_field"))
        .collect();
    let text = String::from_utf8(good.clone()).unwrap();
    let broken = [
        ("an empty body", Vec::new()),
        ("bytes that are no form", noise(1000)),
        ("a body without its last line", good[..good.len() - BOUNDARY.len() - 8].to_vec()),
        ("a body cut in its content", good[..text.find("a note").unwrap() + 3].to_vec()),
        ("a body cut in its headers", good[..text.find("filename").unwrap()].to_vec()),
        ("a boundary that never appears", text.replace(BOUNDARY, "another").into_bytes()),
        ("headers without their end", text.replace("\r\n\r\n", "\r\n").into_bytes()),
        ("a header without a colon", text.replace("Disposition:", "Disposition").into_bytes()),
    ];
    for (name, body) in broken {
        cases.push(case(name, uploader.form(body), 400, "malformed_multipart"));
    }
    for media_type in ["multipart/form-data", "multipart/form-data; charset=utf-8"] {
        let request = uploader.typed(media_type, good.clone());
        cases.push(case("no boundary", request, 400, "malformed_multipart"));
    }
    for media_type in [
        "",
        "text/plain",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=a-boundary-of-the-tests",
        "multipart/form-database; boundary=a-boundary-of-the-tests",
    ] {
        let request = uploader.typed(media_type, good.clone());
        let name = format!("a form sent as {media_type:?}");
        cases.push(case(name, request, 415, "unsupported_media_type"));
    }
    // JSON has an address, and is another way to upload.
    let request = uploader.typed("application/json", good.clone());
    cases.push(case("a form sent as JSON", request, 400, "malformed_json"));
    let untyped = uploader.untyped(good.clone());
    cases.push(case("a form without a type", untyped, 415, "unsupported_media_type"));
    world.refuses(cases).await;
    send(uploader.form(good)).await.is(201); // the form itself was good
}

#[tokio::test]
async fn a_file_may_have_4_mib_and_a_larger_one_is_refused() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let largest = send(uploader.form(form_of("largest.zip", &zip_of_size(4 * MIB)))).await;
    assert_eq!(largest.is_json(201)["size"], 4 * MIB);
    let mut cases = Vec::new();
    for (size, code) in [
        (4 * MIB + 1, "file_too_large"),
        (4_500_000, "file_too_large"),
        (5 * MIB, "request_too_large"),
        (11 * MIB, "request_too_large"),
    ] {
        let request = uploader.form(form_of("large.zip", &zip_of_size(size)));
        cases.push(case(format!("a file of {size} bytes"), request, 413, code));
    }
    let request = uploader.form(form_of("large.exe", &noise(4 * MIB + 1)));
    cases.push(case("a large file of another type", request, 413, "file_too_large"));
    world.refuses(cases).await;
}

#[tokio::test]
async fn an_unusual_but_valid_file_name_comes_back_unchanged() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let client = world.token("client").await;
    let longest = format!("{}.txt", "a".repeat(251));
    for (name, encoded) in [
        ("say \"hi\".txt", "say%20%22hi%22.txt"),
        ("\".txt", "%22.txt"),
        ("Übersicht – Q3.txt", "%C3%9Cbersicht%20%E2%80%93%20Q3.txt"),
        ("日本語.txt", "%E6%97%A5%E6%9C%AC%E8%AA%9E.txt"),
        ("a;b=c, (d).txt", "a%3Bb%3Dc%2C%20%28d%29.txt"),
        ("it's 100%.txt", "it%27s%20100%25.txt"),
        ("no%0D%0Ate.txt", "no%250D%250Ate.txt"),
        ("report.exe.txt", "report.exe.txt"),
        ("SHOUT.TXT", "SHOUT.TXT"),
        (&longest, &longest),
    ] {
        let answer = send(uploader.form(form_of(name, b"a note"))).await;
        assert_eq!(answer.status, 201, "{name}: {answer:?}");
        assert_eq!(answer.json()["filename"], name);
        let id = answer.id();
        let answer = world.open(&world.link(&id, &client).await).await;
        answer.is_file(b"a note");
        // A header is ASCII, or `header` would have stopped here.
        let disposition = answer.header("content-disposition");
        let (stand_in, exact) = disposition.split_once("; filename*=UTF-8''").unwrap();
        assert_eq!(exact, encoded, "{name}");
        let stand_in = stand_in.strip_prefix("attachment; filename=\"").unwrap();
        let stand_in = stand_in.strip_suffix('"').unwrap();
        assert!(!stand_in.contains(['"', '\\']), "{stand_in}");
    }
}

#[tokio::test]
async fn notify_is_true_or_false_and_given_once() {
    let world = World::start().await;
    let uploader = Uploader::to(&world).await;
    let file: (&[u8], &[u8]) = (b"name=\"file\"; filename=\"note.txt\"", b"a note");
    let wish: &[u8] = b"name=\"notify\"";
    let values: [&[u8]; 9] =
        [b"", b"1", b"yes", b"on", b"TRUE", b"True", b" true", b"true\n", b"\xff"];
    let mut cases: Vec<_> = values
        .into_iter()
        .map(|value| {
            let name = format!("notify={}", String::from_utf8_lossy(value));
            let request = uploader.form(form(&[file, (wish, value)]));
            case(name, request, 422, "invalid_field").naming("notify")
        })
        .collect();
    let twice = form(&[(wish, b"true"), file, (wish, b"true")]);
    cases.push(case("twice", uploader.form(twice), 422, "invalid_field").naming("notify"));
    let as_file: &[u8] = b"name=\"notify\"; filename=\"notify.txt\"";
    let as_file = form(&[file, (as_file, b"true")]);
    cases.push(case("as a file", uploader.form(as_file), 422, "invalid_field").naming("notify"));
    let alone = form(&[(wish, b"true")]);
    cases.push(case("no file", uploader.form(alone), 422, "invalid_field").naming("file"));
    world.refuses(cases).await;
    for (wish, place) in [(b"true".as_slice(), 0), (b"false", 1)] {
        let mut parts = vec![file];
        parts.insert(place, (b"name=\"notify\"", wish));
        let answer = send(uploader.form(form(&parts))).await;
        assert_eq!(answer.status, 201, "before or after the file: {answer:?}");
    }
}

/// A world that imports from this host, and its Ops' access token.
async fn fetching_from(origin: &Origin) -> (World, String) {
    let world = World::start_with(&[("IMPORT_ALLOWED_HOSTS", &origin.host)]).await;
    let ops = world.token("ops").await;
    (world, ops)
}

#[tokio::test]
async fn a_file_is_fetched_from_an_address_and_answered_like_one_that_was_sent() {
    let origin = Origin::of(pdf()).await;
    let (world, ops) = fetching_from(&origin).await;
    for path in [routes::UPLOAD, routes::UPLOAD_ALIAS] {
        let body = json!({"file_url": origin.url("/report.pdf"), "note": "fetched"});
        let file = world.post_as(path, &ops, &body).await.is_json(201);
        assert_eq!((&file["filename"], &file["size"]), (&json!("report.pdf"), &json!(pdf().len())));
        assert_eq!(
            (&file["sha256"], &file["uploaded_by"]),
            (&json!(sha256(&pdf())), &json!("ops"))
        );
        let client = world.token("client").await;
        let link = world.link(file["id"].as_str().unwrap(), &client).await;
        world.open(&link).await.is_file(&pdf());
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_fetched_or_taken_is_refused_with_the_reason() {
    let origin = Origin::start(|asked| match asked.target() {
        "/none.pdf" => vec![status("404 Not Found", "")],
        _ => vec![whole("", &pdf())],
    });
    let origin = origin.await;
    let (world, ops) = fetching_from(&origin).await;
    let post = async |target: &str, sha256: Option<String>| {
        let body = json!({"file_url": origin.url(target), "sha256": sha256});
        world.post_as(routes::UPLOAD, &ops, &body).await
    };
    let answer = post("/none.pdf", None).await;
    answer.refused(422, "import_failed");
    let detail = "The file could not be fetched: the host answered with status 404.";
    assert_eq!(answer.field("detail"), detail);
    post("/run.sh", None).await.refused(415, "file_type_not_allowed");
    post("/picture.png", None).await.refused(415, "content_mismatch");
    let answer = post("/report.pdf", Some(sha256(b"another file"))).await;
    answer.refused(422, "file_rejected");
    let body = json!({"file_url": "http://169.254.169.254/"});
    world.post_as(routes::UPLOAD, &ops, &body).await.refused(422, "invalid_field");
    let body = json!({"url": origin.url("/report.pdf")});
    world.post_as(routes::UPLOAD, &ops, &body).await.refused(422, "invalid_field");
}

#[tokio::test]
async fn a_slow_file_is_answered_after_20_seconds_and_a_job_goes_on() {
    let origin = Origin::start(|asked| match asked.offset() {
        0 => vec![cut("ETag: \"one\"\r\n", &zip_of_size(9 * MIB), 0, 8 * MIB + 1), Step::Wait],
        offset => vec![part("ETag: \"one\"\r\n", &zip_of_size(9 * MIB), offset)],
    });
    let origin = origin.await;
    let (world, ops) = fetching_from(&origin).await;
    let body = json!({"file_url": origin.url("/archive.zip")});
    let begun = std::time::Instant::now();
    let file = world.post_as(routes::UPLOAD, &ops, &body).await.is_json(202);
    assert!((20..28).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!((&file["state"], &file["size"]), (&json!("uploading"), &json!(9 * MIB)));
    world.server.jobs_idle().await;
    let file = routes::file(file["id"].as_str().unwrap());
    let file = world.get(&file, &ops).await.is_json(200);
    assert_eq!(file["state"], "available", "{file}");
    let asked: Vec<_> = origin.asked().iter().map(Asked::offset).collect();
    assert_eq!(asked, [0, 8 * MIB]);
}

#[tokio::test]
async fn with_a_malware_scan_a_small_file_is_answered_once_it_is_scanned() {
    let world = World::start_with(&[("MALWARE_SCAN", "GuardDuty")]).await;
    let file = world.upload("note.txt", b"a note").await.is_json(201);
    assert_eq!(file["sha256"], sha256(b"a note"));
    // The EICAR test file, in two halves, so that no scanner finds it here.
    let eicar = [r"X5O!P%@AP[4\PZX54(P^)7CC)7}$", "EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"];
    let answer = world.upload("note.txt", eicar.concat().as_bytes()).await;
    answer.refused(422, "file_rejected");
    let listed = world.get(routes::LIST_FILES, &world.token("client").await).await.is_json(200);
    assert_eq!(listed.as_array().unwrap().len(), 1, "{listed}");
}
