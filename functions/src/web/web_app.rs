//! `app_show` and `app_file_show`: the web app, a page and the files that it loads.

use http::{HeaderName, HeaderValue, StatusCode, header};
use share_contract::{ErrorCode, Operation, operations};
use share_http::{Answer, ApiError, Endpoint, NoJson, Request, whole};
use share_store::{Objects, Platform, StartError};

/// It touches nothing. It knows the bucket, because parts of uploads go there.
pub struct WebApp {
    objects: Objects,
}

/// A file of `web/` as it is served. `build.rs` makes them.
struct WebFile {
    /// With a hash of the whole app, so that the name says the content.
    name: &'static str,
    media_type: &'static str,
    plain: &'static [u8],
    /// The same in Brotli (RFC 7932), which every browser takes that knows ES modules.
    packed: &'static [u8],
}

const PAGE: WebFile = WebFile {
    name: "",
    media_type: "text/html; charset=utf-8",
    plain: include_bytes!(concat!(env!("OUT_DIR"), "/index.html")),
    packed: include_bytes!(concat!(env!("OUT_DIR"), "/index.html.br")),
};
const FILES: &[WebFile] = include!(concat!(env!("OUT_DIR"), "/web_files.rs"));

/// What the page may load, and whom it may ask: this service, and the origin that [`policy`] adds. Text
/// never becomes a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

/// What the page needs of the device: to put a link on the clipboard.
const PERMISSIONS: &str = "camera=(), clipboard-write=(self), display-capture=(), geolocation=(), \
                           microphone=(), payment=(), usb=()";

impl Endpoint for WebApp {
    const NAME: &'static str = "WebApp";
    const OPERATIONS: &'static [&'static Operation] =
        &[&operations::APP_SHOW, &operations::APP_FILE_SHOW];
    const READS_USERS: bool = false;
    type Json = NoJson;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { objects: Objects::connect(platform)? })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<NoJson>, ApiError> {
        let Some(name) = request.path_parameter("file", |name| Ok(name.to_owned()))? else {
            let answer = PAGE.answer(request);
            return Ok(answer
                .with(header::CONTENT_SECURITY_POLICY, policy(&self.objects.origin().await?))
                .with(OPENER_POLICY, HeaderValue::from_static("same-origin"))
                .with(PERMISSIONS_POLICY, HeaderValue::from_static(PERMISSIONS)));
        };
        let file = FILES.iter().find(|file| file.name == name);
        let file = file.ok_or(ErrorCode::FileUnknown)?; // 404
        let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
        Ok(file.answer(request).with(header::CACHE_CONTROL, kept))
    }
}

/// The page's policy, with requests to `origin` as well, the scheme, host and port of S3: the parts of
/// an upload go there.
fn policy(origin: &str) -> HeaderValue {
    let policy = POLICY.replace("connect-src 'self'", &format!("connect-src 'self' {origin}"));
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static(POLICY))
}

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

impl WebFile {
    /// The answer that holds it, compressed for whoever takes that.
    fn answer(&self, request: &Request) -> Answer<NoJson> {
        let packed = request.header(header::ACCEPT_ENCODING).is_some_and(takes_brotli);
        let body = if packed { self.packed } else { self.plain };
        let answer = Answer::bytes(StatusCode::OK, whole(body))
            .with(header::CONTENT_TYPE, HeaderValue::from_static(self.media_type))
            .with(header::VARY, HeaderValue::from_static("Accept-Encoding"))
            .with(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
        if packed {
            answer.with(header::CONTENT_ENCODING, HeaderValue::from_static("br"))
        } else {
            answer
        }
    }
}

/// Whether an `Accept-Encoding` names Brotli, and not with the weight 0.
fn takes_brotli(accepted: &str) -> bool {
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_brotli = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br"));
        is_brotli && !parts.any(|part| part.strip_prefix("q=").is_some_and(is_zero))
    })
}

fn is_zero(weight: &str) -> bool {
    weight.parse().is_ok_and(|weight: f32| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    use super::{FILES, PAGE, POLICY, policy, takes_brotli};

    #[test]
    fn the_page_may_ask_this_service_and_the_bucket_and_nobody_else() {
        let with_bucket = policy("https://files.s3.eu-central-1.amazonaws.com");
        let (before, after) = POLICY.split_once("connect-src 'self'").expect("who may be asked");
        assert_eq!(
            with_bucket,
            format!(
                "{before}connect-src 'self' https://files.s3.eu-central-1.amazonaws.com{after}"
            ),
        );
    }

    #[test]
    fn brotli_is_taken_when_it_is_named_and_not_refused() {
        assert!(takes_brotli("gzip, BR;q=0.5"));
        assert!(!takes_brotli("gzip, br;q=0.0"));
        assert!(!takes_brotli("broken"));
        assert!(!takes_brotli(""));
    }

    const SCRIPTS: &[&str] = &["js", "mjs"];

    fn is_of_kind(name: &str, kinds: &[&str]) -> bool {
        name.rsplit_once('.').is_some_and(|(_, kind)| kinds.contains(&kind))
    }

    #[test]
    fn the_page_asks_at_once_for_every_script() {
        let page = std::str::from_utf8(PAGE.plain).expect("text");
        let asked = page.split('"').filter_map(|it| it.strip_prefix("app/"));
        let mut asked: Vec<_> = asked.filter(|name| is_of_kind(name, SCRIPTS)).collect();
        asked.sort_unstable();
        let names = FILES.iter().map(|file| file.name);
        let mut scripts: Vec<_> = names.filter(|name| is_of_kind(name, SCRIPTS)).collect();
        scripts.sort_unstable();
        assert_eq!(asked, scripts);
        assert_eq!(scripts.len(), 5, "the modules of the app are two scripts: {scripts:?}");
    }

    #[test]
    fn all_scripts_are_less_than_60_kb_and_all_styles_less_than_15_as_they_are_sent() {
        for (kinds, limit) in [(SCRIPTS, 60_000), (&["css"], 15_000)] {
            let files = FILES.iter().filter(|file| is_of_kind(file.name, kinds));
            let sent: usize = files.map(|file| file.packed.len()).sum();
            assert!((1..limit).contains(&sent), "{sent} bytes of {kinds:?}");
        }
    }

    #[test]
    fn no_script_is_sent_with_its_comments() {
        let scripts = FILES.iter().filter(|file| is_of_kind(file.name, SCRIPTS));
        for file in scripts {
            let text = std::str::from_utf8(file.plain).expect("text");
            assert!(!text.contains("/**") && !text.contains("*/"), "{}", file.name);
        }
    }

    #[test]
    fn every_file_that_the_app_names_is_there_by_that_name() {
        let served: Vec<&str> = FILES.iter().map(|file| file.name).collect();
        for file in [&PAGE].into_iter().chain(FILES) {
            let text = std::str::from_utf8(file.plain).expect("text");
            for name in text.split('"').filter(|it| is_of_kind(it, &["mjs", "js", "css"])) {
                let name = name.rsplit('/').next().expect("a name");
                assert!(served.contains(&name), "{} names {name}", file.name);
            }
        }
    }
}
