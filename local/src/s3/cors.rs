//! Which web pages may talk to the bucket, as its `CorsConfiguration` says.
//!
//! The user guide, "Using cross-origin resource sharing": the first rule decides whose origin,
//! method and headers all fit.

use std::collections::BTreeMap;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use serde::Deserialize;
use share_contract::settings;

/// A rule, as in the template.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase", default, deny_unknown_fields)]
pub(crate) struct CorsRule {
    pub(crate) id: Option<String>,
    pub(crate) allowed_headers: Vec<String>,
    pub(crate) allowed_methods: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) exposed_headers: Vec<String>,
    pub(crate) max_age: Option<u32>,
}

/// The rules of a bucket.
pub(crate) struct Cors(Vec<CorsRule>);

impl Cors {
    /// These rules, with `variables` in the places of the template's parameters.
    pub(crate) fn new(
        rules: &[CorsRule],
        variables: &BTreeMap<String, String>,
    ) -> anyhow::Result<Self> {
        let mut rules = rules.to_vec();
        for origin in rules.iter_mut().flat_map(|rule| &mut rule.allowed_origins) {
            for about in settings::ALL {
                let (Some(parameter), Some(value)) = (about.parameter, variables.get(about.name))
                else {
                    continue;
                };
                *origin = origin.replace(&format!("${{{parameter}}}"), value);
            }
            anyhow::ensure!(!origin.contains("${"), "the origin {origin} is not known here");
        }
        Ok(Self(rules))
    }

    /// The answer to a preflight, which no other part of S3 gets to see.
    pub(crate) fn preflight(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Option<Response<&'static str>> {
        if method != Method::OPTIONS {
            return None;
        }
        let asked = headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
        let asked: Vec<_> = text(asked).split(',').map(str::trim).collect();
        let asked: Vec<_> = asked.into_iter().filter(|name| !name.is_empty()).collect();
        let method = text(headers.get(ACCESS_CONTROL_REQUEST_METHOD));
        let origin = text(headers.get(ORIGIN));
        let rule = self.0.iter().find(|rule| rule.fits(origin, method, &asked));
        let mut answer = Response::new("");
        if let Some(rule) = rule {
            *answer.headers_mut() = rule.headers(origin);
            insert(answer.headers_mut(), ACCESS_CONTROL_ALLOW_HEADERS, &asked.join(", "));
        } else {
            *answer.status_mut() = StatusCode::FORBIDDEN;
            *answer.body_mut() = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>\
                <Code>AccessForbidden</Code>\
                <Message>CORSResponse: This CORS request is not allowed.</Message></Error>";
        }
        Some(answer)
    }

    /// What the answer to another request has beside its own headers.
    pub(crate) fn headers(&self, method: &Method, headers: &HeaderMap) -> HeaderMap {
        let origin = text(headers.get(ORIGIN));
        let rule = self.0.iter().find(|rule| rule.fits(origin, method.as_str(), &[]));
        rule.map(|rule| rule.headers(origin)).unwrap_or_default()
    }
}

impl CorsRule {
    fn fits(&self, origin: &str, method: &str, headers: &[&str]) -> bool {
        let allowed = |name: &&str| {
            let name = name.to_ascii_lowercase();
            self.allowed_headers.iter().any(|it| is_like(&it.to_ascii_lowercase(), &name))
        };
        self.allowed_origins.iter().any(|it| !origin.is_empty() && is_like(it, origin))
            && self.allowed_methods.iter().any(|it| it == method)
            && headers.iter().all(allowed)
    }

    fn headers(&self, origin: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.allowed_origins.iter().any(|it| it == "*") {
            insert(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, "*");
        } else {
            insert(&mut headers, ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            insert(&mut headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        insert(&mut headers, ACCESS_CONTROL_ALLOW_METHODS, &self.allowed_methods.join(", "));
        insert(&mut headers, ACCESS_CONTROL_EXPOSE_HEADERS, &self.exposed_headers.join(", "));
        let seconds = self.max_age.map(|seconds| seconds.to_string());
        insert(&mut headers, ACCESS_CONTROL_MAX_AGE, &seconds.unwrap_or_default());
        insert(
            &mut headers,
            VARY,
            "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
        );
        headers
    }
}

fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), value.parse()) {
        headers.insert(name, value);
    }
}

/// Whether `text` is `pattern`, whose star, if it has one, stands for any text.
fn is_like(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, end)) => text.strip_prefix(start).is_some_and(|rest| rest.ends_with(end)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors() -> Cors {
        let list = |items: &[&str]| items.iter().map(|&item| item.to_owned()).collect();
        let of_pages = CorsRule {
            allowed_headers: list(&["content-type", "x-amz-*"]),
            allowed_methods: list(&["PUT", "GET"]),
            allowed_origins: list(&["https://share.example", "http://*.localhost"]),
            exposed_headers: list(&["ETag"]),
            max_age: Some(600),
            ..CorsRule::default()
        };
        let of_all = CorsRule {
            allowed_methods: list(&["HEAD"]),
            allowed_origins: list(&["*"]),
            ..CorsRule::default()
        };
        Cors(vec![of_pages, of_all])
    }

    #[test]
    fn an_origin_can_be_a_parameter_that_is_known_here() {
        let rule = |origin: &str| {
            [CorsRule { allowed_origins: vec![origin.to_owned()], ..CorsRule::default() }]
        };
        let variables = BTreeMap::from([("PUBLIC_BASE_URL".into(), "http://a:1".to_owned())]);
        let cors = Cors::new(&rule("${PublicBaseUrl}"), &variables).unwrap();
        assert_eq!(cors.0[0].allowed_origins, ["http://a:1"]);
        assert!(Cors::new(&rule("https://${Unknown}"), &variables).is_err());
    }

    fn headers(pairs: &[(HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_preflight_is_answered_by_the_first_rule_of_which_everything_fits() {
        let own = "https://share.example";
        let cases = [
            (own, "PUT", "", 200),
            (own, "PUT", "Content-Type, x-amz-checksum-sha256", 200),
            (own, "GET", "X-AMZ-DATE", 200),
            ("http://a.localhost", "PUT", "", 200),
            ("https://anywhere.example", "HEAD", "", 200),
            ("https://anywhere.example", "PUT", "", 403),
            ("https://share.example.evil.example", "PUT", "", 403),
            ("", "PUT", "", 403),
            (own, "DELETE", "", 403),
            (own, "", "", 403),
            (own, "PUT", "authorization", 403),
            (own, "HEAD", "x-amz-date", 403),
        ];
        for (origin, method, asked, status) in cases {
            let headers = headers(&[
                (ORIGIN, origin),
                (ACCESS_CONTROL_REQUEST_METHOD, method),
                (ACCESS_CONTROL_REQUEST_HEADERS, asked),
            ]);
            let answer = cors().preflight(&Method::OPTIONS, &headers).unwrap();
            assert_eq!(answer.status(), status, "{origin} {method} {asked}");
            let allowed = answer.headers().get(ACCESS_CONTROL_ALLOW_ORIGIN);
            assert_eq!(allowed.is_some(), status == 200, "{origin} {method} {asked}");
        }
        assert!(cors().preflight(&Method::PUT, &HeaderMap::new()).is_none());
    }

    #[test]
    fn an_answer_names_the_origin_that_may_read_it_and_what_it_may_see() {
        let own = headers(&[(ORIGIN, "https://share.example")]);
        let answered = cors().headers(&Method::PUT, &own);
        assert_eq!(answered[ACCESS_CONTROL_ALLOW_ORIGIN], "https://share.example");
        assert_eq!(answered[ACCESS_CONTROL_EXPOSE_HEADERS], "ETag");
        assert_eq!(answered[ACCESS_CONTROL_MAX_AGE], "600");
        assert!(answered.contains_key(VARY));
        let any = cors().headers(&Method::HEAD, &own);
        assert_eq!(any[ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!any.contains_key(ACCESS_CONTROL_ALLOW_CREDENTIALS));
        let other = headers(&[(ORIGIN, "https://anywhere.example")]);
        assert!(cors().headers(&Method::PUT, &other).is_empty());
        assert!(cors().headers(&Method::PUT, &HeaderMap::new()).is_empty());
        assert!(Cors(Vec::new()).headers(&Method::PUT, &own).is_empty());
    }
}
