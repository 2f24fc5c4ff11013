//! The REST proxy event (payload version 1.0) that API Gateway makes of a request.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

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
    pub(crate) parameters: Map<String, Value>,
    /// The query as the client wrote it.
    pub(crate) query: &'a str,
    /// Its headers, in their order.
    pub(crate) headers: Vec<(String, String)>,
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
    /// The event that a function gets.
    pub(crate) fn event(&self, request: Routed<'_>) -> Value {
        let (headers, multi_value_headers) = single_and_multi(request.headers.into_iter());
        let (query, multi_value_query) = single_and_multi(query_pairs(request.query));
        let header = |name: &str| {
            headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, it)| it)
        };
        let path_with_stage = if self.stage_in_path {
            format!("/{}{}", self.stage, request.path)
        } else {
            request.path.to_owned()
        };
        json!({
            "resource": request.resource,
            "path": request.path,
            "httpMethod": request.method,
            "headers": headers,
            "multiValueHeaders": multi_value_headers,
            "queryStringParameters": none_when_empty(&query, query.is_empty()),
            "multiValueQueryStringParameters":
                none_when_empty(&multi_value_query, multi_value_query.is_empty()),
            "pathParameters": none_when_empty(&request.parameters, request.parameters.is_empty()),
            "stageVariables": null,
            "requestContext": {
                "accountId": self.account,
                "apiId": self.id,
                "domainName": header("host"),
                "domainPrefix": header("host").and_then(|host| host.split('.').next()),
                "extendedRequestId": request.request_id,
                "httpMethod": request.method,
                "identity": {
                    "accessKey": null,
                    "accountId": null,
                    "caller": null,
                    "cognitoAuthenticationProvider": null,
                    "cognitoAuthenticationType": null,
                    "cognitoIdentityId": null,
                    "cognitoIdentityPoolId": null,
                    "principalOrgId": null,
                    "sourceIp": request.source_ip,
                    "user": null,
                    "userAgent": header("user-agent"),
                    "userArn": null,
                },
                "path": path_with_stage,
                "protocol": "HTTP/1.1",
                "requestId": request.request_id,
                "requestTime": request.now.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
                "requestTimeEpoch": request.now.as_millisecond(),
                "resourcePath": request.resource,
                "stage": self.stage,
            },
            "body": (!request.body.is_empty()).then(|| STANDARD.encode(request.body)),
            "isBase64Encoded": !request.body.is_empty(),
        })
    }
}

/// API Gateway writes `null` in the place of an empty map.
fn none_when_empty<T>(map: T, is_empty: bool) -> Option<T> {
    (!is_empty).then_some(map)
}

fn query_pairs(query: &str) -> impl Iterator<Item = (String, String)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| decode(&text.replace('+', " "));
        (plain(name), plain(value))
    })
}

/// `text` without percent-encoding.
pub(crate) fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

type SingleAndMulti = (BTreeMap<String, String>, BTreeMap<String, Vec<String>>);

/// Of several values of one name, the single map has the last.
fn single_and_multi(pairs: impl Iterator<Item = (String, String)>) -> SingleAndMulti {
    let (mut single, mut multi) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
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
        assert_eq!((single["b"].as_str(), single["c"].as_str()), ("", "x y"));
    }
}
