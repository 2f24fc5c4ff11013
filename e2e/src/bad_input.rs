//! Bodies, ids and tokens that no route accepts.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use crate::matchers::{Case, case};
use crate::world::World;

/// Bodies that are not a JSON object.
const NOT_AN_OBJECT: [(&str, &[u8]); 15] = [
    ("white space", b" \r\n"),
    ("a brace", b"{"),
    ("half an object", b"{\"username\": \"mall"),
    ("a list", b"[]"),
    ("null", b"null"),
    ("a text", b"\"{}\""),
    ("a number", b"42"),
    ("single quotes", b"{'username': 'mallory'}"),
    ("a comma too many", b"{\"username\": \"mallory\",}"),
    ("two objects", b"{} {}"),
    ("a comment", b"{/* */}"),
    ("NaN", b"{\"username\": NaN}"),
    ("half a surrogate pair", b"{\"username\": \"\\ud800\"}"),
    ("bytes that are not UTF-8", b"{\"username\": \"\xff\"}"),
    ("a raw control character", b"{\"username\": \"\x01\"}"),
];

/// Media types that are not JSON's.
const NOT_JSON: [Option<&str>; 9] = [
    None,
    Some("text/plain"),
    Some("text/plain;charset=application/json"),
    Some("application/x-www-form-urlencoded"),
    Some("multipart/form-data; boundary=application/json"),
    Some("application/xml"),
    Some("application/jsonp"),
    Some("json"),
    Some(""),
];

/// POSTs to `path` whose body is not a JSON object, or not declared as JSON though it is the
/// `good` one. An empty body is not among them, because some routes need none.
pub fn not_json(world: &World, path: &str, token: &str, good: &Value) -> Vec<Case> {
    let post = |media_type: Option<&str>, body: Vec<u8>| {
        let request = world.request(Method::POST, path).bearer_auth(token).body(body);
        media_type.iter().fold(request, |it, media_type| it.header(CONTENT_TYPE, *media_type))
    };
    let json = Some("application/json");
    let mut cases = Vec::new();
    for (name, body) in NOT_AN_OBJECT {
        cases.push(case(name, post(json, body.to_vec()), 400, "malformed_json"));
    }
    let deep = "[".repeat(100_000).into_bytes();
    cases.push(case("100,000 brackets", post(json, deep), 400, "malformed_json"));
    for media_type in NOT_JSON {
        let request = post(media_type, good.to_string().into_bytes());
        let name = format!("JSON sent as {media_type:?}");
        cases.push(case(name, request, 415, "unsupported_media_type"));
    }
    cases
}

/// A POST of nothing that says it is JSON.
pub fn nothing(world: &World, path: &str, token: &str) -> Case {
    let request = world.request(Method::POST, path).bearer_auth(token);
    let request = request.header(CONTENT_TYPE, "application/json").body(Vec::new());
    case("nothing", request, 400, "malformed_json")
}

/// What is neither the id of a file nor that of a link.
pub const MALFORMED_IDS: [&str; 8] =
    ["1", "null", "%00", "%20", "..%2f..%2fetc%2fpasswd", "%ff", "%F0%9F%92%A9", "{id}"];

/// GETs of `path` with what is not its token, though nearly: `own` is one that works, and
/// `foreign` are good for something else. Each must be told the same, `unknown`.
pub fn wrong_tokens(
    world: &World,
    path: &str,
    own: &str,
    foreign: &[&str],
    unknown: &'static str,
) -> Vec<Case> {
    let get = |query: &str| world.request(Method::GET, &format!("{path}{query}"));
    let mut cases = Vec::new();
    for query in ["", "?", "?tok=x", &format!("?Token={own}"), &format!("?={own}")] {
        cases.push(case(format!("{path}{query}"), get(query), 400, "missing_parameter"));
    }
    let malformed = [
        "",
        "x",
        "null",
        "%00",
        "..%2f..%2fetc%2fpasswd",
        &own[1..],
        &own[..own.len() - 1],
        &format!("{own}A"),
        &format!("{own}%3D"),
        &format!("%20{own}"),
        &format!("spent%23{own}"),
        &swap_a_letter(own, 20),
        &"A".repeat(43),
        &"A".repeat(8192),
    ];
    for token in malformed.into_iter().chain(foreign.iter().copied()) {
        let name = format!("{path} with {}", &token[..token.len().min(60)]);
        cases.push(case(name, get(&format!("?token={token}")), 404, unknown));
    }
    cases
}

/// `text` with another letter at `place`.
pub fn swap_a_letter(text: &str, place: usize) -> String {
    let other = if &text[place..=place] == "A" { "B" } else { "A" };
    format!("{}{other}{}", &text[..place], &text[place + 1..])
}
