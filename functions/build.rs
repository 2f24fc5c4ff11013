//! Makes the parts of the web app that `WebApp` serves from what stands in `web/`.
//!
//! A file's name gets a hash of the whole app, so that browsers may keep it for ever: where one file
//! names another, as `"./api.mjs"`, `"../vendor/preact.mjs"` or `"app/app.css"`, the name with the
//! hash stands there. The folders go, because one place of a route holds the name. Comments go too, and
//! modules become two scripts.
#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script by variables where it is"
)]

#[path = "build/merge.rs"]
mod merge;

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use brotli::CompressorWriter;
use sha2::{Digest, Sha256};

/// The page, relative to `web/`.
const PAGE: &str = "index.html";

/// The views are fetched while the session begins, and not after that.
const PRELOAD: &str = "<link rel=\"modulepreload\" href=\"app/later.mjs\">\n";

/// The kinds of files that are served.
const MEDIA_TYPES: &[(&str, &str)] = &[
    ("css", "text/css; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("svg", "image/svg+xml"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let web = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../web");
    println!("cargo::rerun-if-changed={}", web.display());
    let page = fs::read_to_string(web.join(PAGE))?;
    let (mut files, mut vendor) = (BTreeMap::new(), BTreeMap::new());
    read(&web.join("app"), &mut files)?;
    read(&web.join("vendor"), &mut vendor)?;
    let files = merge::merge(files, vendor)?;

    let mut hash = Sha256::new();
    for text in files.values() {
        hash.update(text);
    }
    let hash = hash.finalize();
    let start = hash.iter().take(8).fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
    let version = format!("{start:016x}");

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let page = page.replace("</head>", &format!("{PRELOAD}</head>"));
    let page = with_versions(&page, &files, &version);
    fs::write(out.join(PAGE), &page)?;
    fs::write(out.join("index.html.br"), brotli(&page)?)?;
    let mut list = String::from("&[\n");
    for (name, text) in &files {
        let served = versioned(name, &version);
        let text = if is_script(name) { &without_comments(text)? } else { text };
        let text = with_versions(text, &files, &version);
        fs::write(out.join(&served), &text)?;
        fs::write(out.join(format!("{served}.br")), brotli(&text)?)?;
        let media_type = media_type(name).unwrap_or_default();
        writeln!(
            list,
            "WebFile {{ name: {served:?}, media_type: {media_type:?}, \
             plain: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{served}\")), \
             packed: include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{served}.br\")) }},"
        )?;
    }
    list.push(']');
    fs::write(out.join("web_files.rs"), list)?;
    Ok(())
}

/// Adds the files below `folder` that are served, by name.
fn read(folder: &Path, files: &mut BTreeMap<String, String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            read(&path, files)?;
            continue;
        }
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if media_type(&name).is_none() {
            continue; // documents and type declarations
        }
        if files.insert(name.clone(), fs::read_to_string(&path)?).is_some() {
            return Err(format!("two files of the web app are called {name}").into());
        }
    }
    Ok(())
}

fn media_type(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    let (_, media_type) = MEDIA_TYPES.iter().find(|(known, _)| *known == extension)?;
    Some(media_type)
}

fn is_script(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "mjs" || extension == "js")
}

/// `api.mjs` as `api-0123456789abcdef.mjs`.
fn versioned(name: &str, version: &str) -> String {
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}-{version}.{extension}"),
        None => name.to_owned(),
    }
}

/// A script without what is for its readers: comments, indentation, and the end of a line where the
/// next one goes on. No text of the app goes over several lines, or holds what begins a comment.
fn without_comments(text: &str) -> Result<String, Box<dyn Error>> {
    let mut script = String::new();
    for line in text.lines() {
        let code = code_of(line);
        let is_open = |text: &str| text.matches('"').count() % 2 == 1;
        if is_open(&code) && !is_open(line) {
            return Err(format!("a text holds what begins a comment: {line}").into());
        }
        if code.is_empty() {
            continue;
        }
        let goes_on = script.is_empty()
            || script.ends_with([',', ';', '(', '[', '{'])
            || code.starts_with(['.', '?', ':', ')', ']', '}']);
        if !goes_on {
            script.push('\n');
        }
        script += &code;
    }
    Ok(script)
}

/// A line without its comments. Types stand within lines too.
fn code_of(line: &str) -> String {
    let line = line.trim_start();
    if line.starts_with("//") || line.starts_with('*') {
        return String::new();
    }
    let (code, _) = line.split_once(" // ").unwrap_or((line, ""));
    let mut parts = code.split("/**");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |code, part| {
        code + part.split_once("*/").map_or("", |(_, rest)| rest.trim_start())
    })
}

/// `text` with the served names in place of those of the tree, wherever a string in double quotes
/// is the path of one of `files`.
fn with_versions(text: &str, files: &BTreeMap<String, String>, version: &str) -> String {
    let parts = text.split('"').map(|part| match part.rsplit_once('/') {
        Some((folder, name)) if files.contains_key(name) && is_folder(folder) => {
            let folder = if folder.starts_with('.') { "." } else { "app" };
            format!("{folder}/{}", versioned(name, version))
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("\"")
}

fn is_folder(text: &str) -> bool {
    text.chars().all(|it| it.is_ascii_lowercase() || matches!(it, '.' | '/'))
}

/// The text in Brotli (RFC 7932), with the highest quality and the largest window.
fn brotli(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut encoder = CompressorWriter::new(Vec::new(), 4096, 11, 22);
    encoder.write_all(text.as_bytes())?;
    Ok(encoder.into_inner())
}
