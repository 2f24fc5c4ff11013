//! Makes the parts of the web app that `WebApp` serves from what stands in `web/`.
//!
//! A file's name gets a hash of the whole app, so that browsers may keep it for ever: where one file
//! names another, as `"./api.mjs"`, `"../vendor/preact.mjs"` or `"app/app.css"`, the name with the
//! hash stands there. The folders go, because one place of a route holds the name. Comments go too.
//! The components are served as one module, which is a third smaller than they are by themselves.
#![expect(
    clippy::disallowed_methods,
    reason = "Cargo tells a build script by variables where it is"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use brotli::CompressorWriter;
use sha2::{Digest, Sha256};

/// The page, relative to `web/`.
const PAGE: &str = "index.html";

/// The module of all components.
const COMPONENTS: &str = "components.mjs";

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
    let mut files = BTreeMap::new();
    read(&web.join("app"), &mut files)?;
    read(&web.join("vendor"), &mut files)?;
    let mut components = BTreeMap::new();
    read(&web.join("app/components"), &mut components)?;

    let mut hash = Sha256::new();
    for text in files.values() {
        hash.update(text);
    }
    let hash = hash.finalize();
    let start = hash.iter().take(8).fold(0_u64, |start, byte| start << 8 | u64::from(*byte));
    let version = format!("{start:016x}");

    // What each file is served as.
    let mut served: BTreeMap<String, String> =
        files.keys().map(|name| (name.clone(), versioned(name, &version))).collect();
    for name in components.keys() {
        files.remove(name);
        served.insert(name.clone(), versioned(COMPONENTS, &version));
    }
    served.insert(COMPONENTS.to_owned(), versioned(COMPONENTS, &version));
    files.insert(COMPONENTS.to_owned(), joined(&components));

    let out = PathBuf::from(env::var("OUT_DIR")?);
    let page = with_versions(&page, &served);
    fs::write(out.join(PAGE), &page)?;
    fs::write(out.join("index.html.br"), brotli(&page)?)?;
    let mut list = String::from("&[\n");
    for (name, text) in &files {
        let text = if is_script(name) { &without_comments(text) } else { text };
        let text = with_versions(text, &served);
        let served = &served[name];
        fs::write(out.join(served), &text)?;
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

/// One module of several, no two of which may give a name to different things. What they import from
/// elsewhere is imported once, and what they import from each other is there.
fn joined(modules: &BTreeMap<String, String>) -> String {
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut code = String::new();
    for line in modules.values().flat_map(|text| text.lines()) {
        match import(line) {
            Some((names, from)) if from.starts_with("../") => {
                imports.entry(from).or_default().extend(names.split(", "));
            }
            Some(_) => {}
            None => code = code + line + "\n",
        }
    }
    imports.into_iter().fold(code, |code, (from, names)| {
        let names = names.into_iter().collect::<Vec<_>>().join(", ");
        code + &format!("import {{ {names} }} from \"{from}\";\n")
    })
}

/// The names of an import, and the path from which they come.
fn import(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("import { ")?.strip_suffix("\";")?.split_once(" } from \"")
}

/// A script without what is for its readers: comments, indentation, and the end of a line where the
/// next one goes on. No text of the app goes over several lines, or holds what begins a comment.
fn without_comments(text: &str) -> String {
    let lines = text.lines().map(code_of).filter(|line| !line.is_empty());
    lines.fold(String::new(), |text, line| {
        let goes_on = text.is_empty()
            || text.ends_with([',', ';', '(', '[', '{'])
            || line.starts_with(['.', '?', ':', ')', ']', '}']);
        text + if goes_on { "" } else { "\n" } + &line
    })
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
/// is the path of a file.
fn with_versions(text: &str, served: &BTreeMap<String, String>) -> String {
    let parts = text.split('"').map(|part| {
        let Some((folder, name)) = part.rsplit_once('/') else { return part.to_owned() };
        match served.get(name) {
            Some(served) if is_folder(folder) => {
                let folder = if folder.starts_with('.') { "." } else { "app" };
                format!("{folder}/{served}")
            }
            _ => part.to_owned(),
        }
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
