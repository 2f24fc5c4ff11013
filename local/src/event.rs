//! The REST proxy event (payload version 1.0) that API Gateway makes of a request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Serialize;
use serde_json::{Map, Value};

/// What an API says of itself in its events.
pub(crate) struct Api {
    /// The account that owns it.
    pub(crate) account: &'static str,
    /// Its id.
    pub(crate) id: &'static str,
    /// Its stage.
    pub(crate) stage: &'static str,
    /// Whether the stage is the first segment of its paths.
    pub(crate) stage_in_path: bool,
}

/// A request that has found its route.
pub(crate) struct Routed<'a> {
    /// Its method.
    pub(crate) method: &'a str,
    /// The route's path, for example `/api/links/{id}`.
    pub(crate) resource: &'a str,
    /// The path as the client wrote it, without the stage.
    pub(crate) path: &'a str,
    /// The parameters of the path.
    pub(crate) parameters: &'a Map<String, Value>,
    /// The query as the client wrote it.
    pub(crate) query: &'a str,
    /// Its headers, in their order.
    pub(crate) headers: Vec<(&'a str, Cow<'a, str>)>,
    /// Its body.
    pub(crate) body: &'a [u8],
    /// The client's address.
    pub(crate) source_ip: String,
    /// Its id.
    pub(crate) request_id: &'a str,
    /// When it came.
    pub(crate) now: Timestamp,
}

impl Api {
    /// The text of the event that a function gets.
    pub(crate) fn event(&self, request: &Routed<'_>) -> String {
        let headers = request.headers.iter();
        let headers = headers.map(|(name, value)| (Cow::Borrowed(*name), value.clone()));
        let (headers, multi_value_headers) = single_and_multi(headers);
        let (query, multi_value_query) = single_and_multi(query_pairs(request.query));
        let header = |name: &str| {
            let known = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            known.map(|(_, value)| value.as_ref())
        };
        let path_with_stage = if self.stage_in_path {
            Cow::Owned(format!("/{}{}", self.stage, request.path))
        } else {
            Cow::Borrowed(request.path)
        };
        let event = Event {
            resource: request.resource,
            path: request.path,
            http_method: request.method,
            headers: &headers,
            multi_value_headers,
            query_string_parameters: none_when_empty(&query, query.is_empty()),
            multi_value_query_string_parameters: none_when_empty(
                &multi_value_query,
                multi_value_query.is_empty(),
            ),
            path_parameters: none_when_empty(request.parameters, request.parameters.is_empty()),
            stage_variables: (),
            request_context: RequestContext {
                account_id: self.account,
                api_id: self.id,
                domain_name: header("host"),
                domain_prefix: header("host").and_then(|host| host.split('.').next()),
                extended_request_id: request.request_id,
                http_method: request.method,
                identity: Identity {
                    source_ip: &request.source_ip,
                    user_agent: header("user-agent"),
                    ..Identity::default()
                },
                path: &path_with_stage,
                protocol: "HTTP/1.1",
                request_id: request.request_id,
                request_time: request.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                request_time_epoch: request.now.as_millisecond(),
                resource_path: request.resource,
                stage: self.stage,
            },
            body: (!request.body.is_empty()).then(|| STANDARD.encode(request.body)),
            is_base64_encoded: !request.body.is_empty(),
        };
        serde_json::to_string(&event).unwrap_or_default()
    }
}

/// The event, in the order in which API Gateway writes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    resource: &'a str,
    path: &'a str,
    http_method: &'a str,
    headers: &'a Single<'a>,
    multi_value_headers: Multi<'a>,
    query_string_parameters: Option<&'a Single<'a>>,
    multi_value_query_string_parameters: Option<&'a Multi<'a>>,
    path_parameters: Option<&'a Map<String, Value>>,
    stage_variables: (),
    request_context: RequestContext<'a>,
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'a> {
    account_id: &'a str,
    api_id: &'a str,
    domain_name: Option<&'a str>,
    domain_prefix: Option<&'a str>,
    extended_request_id: &'a str,
    http_method: &'a str,
    identity: Identity<'a>,
    path: &'a str,
    protocol: &'a str,
    request_id: &'a str,
    request_time: String,
    request_time_epoch: i64,
    resource_path: &'a str,
    stage: &'a str,
}

/// Who asks. What has no value here is for callers that sign with IAM or Cognito.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    access_key: (),
    account_id: (),
    caller: (),
    cognito_authentication_provider: (),
    cognito_authentication_type: (),
    cognito_identity_id: (),
    cognito_identity_pool_id: (),
    principal_org_id: (),
    source_ip: &'a str,
    user: (),
    user_agent: Option<&'a str>,
    user_arn: (),
}

/// API Gateway writes `null` in the place of an empty map.
fn none_when_empty<T>(map: T, is_empty: bool) -> Option<T> {
    (!is_empty).then_some(map)
}

fn query_pairs(query: &str) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| Cow::Owned(decode(&text.replace('+', " ")));
        (plain(name), plain(value))
    })
}

/// `text` without percent-encoding.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

type Single<'a> = BTreeMap<Cow<'a, str>, Cow<'a, str>>;
type Multi<'a> = BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>;

/// Of several values of one name, the single map has the last.
fn single_and_multi<'a>(
    pairs: impl Iterator<Item = (Cow<'a, str>, Cow<'a, str>)>,
) -> (Single<'a>, Multi<'a>) {
    let (mut single, mut multi) = (Single::new(), Multi::new());
    for (name, value) in pairs {
        multi.entry(name.clone()).or_default().push(value.clone());
        single.insert(name, value);
    }
    (single, multi)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_decoded_and_keeps_all_values_of_a_name() {
        let (single, multi) = single_and_multi(query_pairs("a=1&a=%202&b&&c=x+y"));
        assert_eq!(single["a"], " 2");
        assert_eq!(multi["a"], ["1", " 2"]);
        assert_eq!((single["b"].as_ref(), single["c"].as_ref()), ("", "x y"));
    }
}
