//! What the template gives: tables, bucket, secrets and addresses.

use share_model::Invalid;

use super::{About, Default, Range, Setting, text_of};

/// Accounts and reservations.
pub const USERS_TABLE: Setting<String> =
    resource("USERS_TABLE", "Table of accounts, and of the reservations of names and addresses.");
/// Sessions.
pub const SESSIONS_TABLE: Setting<String> = resource("SESSIONS_TABLE", "Table of sessions.");
/// Files.
pub const FILES_TABLE: Setting<String> = resource("FILES_TABLE", "Table of files.");
/// Shelf.
pub const SHELF_TABLE: Setting<String> =
    resource("SHELF_TABLE", "Table of the files that each audience sees.");
/// Links, leases and one-time tokens.
pub const LINKS_TABLE: Setting<String> =
    resource("LINKS_TABLE", "Table of links, leases and one-time tokens.");
/// Receipts and audit events.
pub const AUDIT_TABLE: Setting<String> =
    resource("AUDIT_TABLE", "Table of receipts and audit events.");
/// Counters.
pub const LIMITS_TABLE: Setting<String> =
    resource("LIMITS_TABLE", "Table of the counters of what is limited.");
/// The files' bytes.
pub const FILES_BUCKET: Setting<String> = resource("FILES_BUCKET", "Bucket of the files' bytes.");

/// The secret itself.
pub const JWT_SECRET: Setting<String> = Setting {
    about: About {
        name: "JWT_SECRET",
        default: Default::Unset,
        range: Range::Text(
            "at least 32 bytes, or `{\"current\": …, \"previous\": …}` with two such texts",
        ),
        text: "Signs access tokens and cursors. `previous` is accepted as well, for a rotation.",
        parameter: None,
    },
    parse: text_of,
};

/// Where the secret is, when it is not given.
pub const JWT_SECRET_ARN: Setting<String> = Setting {
    about: About {
        name: "JWT_SECRET_ARN",
        default: Default::Required,
        range: Range::Text("an ARN"),
        text: "Secrets Manager secret that holds JWT_SECRET. Not read when JWT_SECRET is set.",
        parameter: None,
    },
    parse: text_of,
};

/// The secret itself.
pub const CERTIFICATE_SECRET: Setting<String> = Setting {
    about: About {
        name: "CERTIFICATE_SECRET",
        default: Default::Unset,
        range: Range::Text(
            "at least 32 bytes, or `{\"current\": …, \"previous\": […]}` with such texts",
        ),
        text: "The key that signs delivery certificates is derived from it. The public keys of \
               `previous` stay published.",
        parameter: None,
    },
    parse: text_of,
};

/// Where the secret is, when it is not given.
pub const CERTIFICATE_SECRET_ARN: Setting<String> = Setting {
    about: About {
        name: "CERTIFICATE_SECRET_ARN",
        default: Default::Required,
        range: Range::Text("an ARN"),
        text: "Secrets Manager secret that holds CERTIFICATE_SECRET. Not read when \
               CERTIFICATE_SECRET is set.",
        parameter: None,
    },
    parse: text_of,
};

/// The secret itself.
pub const SECOND_FACTOR_SECRET: Setting<String> = Setting {
    about: About {
        name: "SECOND_FACTOR_SECRET",
        default: Default::Unset,
        range: Range::Text(
            "at least 32 bytes, or `{\"current\": …, \"previous\": […]}` with such texts",
        ),
        text: "The key that encrypts the seeds of second factors is derived from it. `previous` \
               still decrypts; a seed gets the current key when its owner logs in.",
        parameter: None,
    },
    parse: text_of,
};

/// Where the secret is, when it is not given.
pub const SECOND_FACTOR_SECRET_ARN: Setting<String> = Setting {
    about: About {
        name: "SECOND_FACTOR_SECRET_ARN",
        default: Default::Required,
        range: Range::Text("an ARN"),
        text: "Secrets Manager secret that holds SECOND_FACTOR_SECRET. Not read when \
               SECOND_FACTOR_SECRET is set.",
        parameter: None,
    },
    parse: text_of,
};

/// The address under which the API is known outside.
pub const PUBLIC_BASE_URL: Setting<String> = Setting {
    about: About {
        name: "PUBLIC_BASE_URL",
        default: Default::Unset,
        range: Range::Text("an `http` or `https` address without a query"),
        text: "Address of a custom domain in front of the API, for links in mails and answers. \
               Without it: the address of the stage.",
        parameter: Some("PublicBaseUrl"),
    },
    parse: |text| {
        let known = text.starts_with("https://") || text.starts_with("http://");
        let base = text.trim_end_matches('/').to_owned();
        let plain = known && !text.contains(['?', '#', ' ']);
        plain.then_some(base).ok_or_else(|| Invalid::because("must be an http(s) address"))
    },
};

/// The domain under which AWS has its endpoints.
pub const URL_SUFFIX: Setting<String> = Setting {
    about: About {
        name: "URL_SUFFIX",
        default: Default::Value("amazonaws.com"),
        range: Range::Text("a domain"),
        text: "Domain of AWS in the stage's own address; another one in China, for example.",
        parameter: None,
    },
    parse: text_of,
};

/// The name of a table or bucket, which the template gives.
const fn resource(name: &'static str, text: &'static str) -> Setting<String> {
    let range = Range::Text("a name");
    let about = About { name, default: Default::Required, range, text, parameter: None };
    Setting { about, parse: text_of }
}

#[cfg(test)]
mod tests {
    use share_model::Environment;

    use super::*;

    #[test]
    fn the_public_address_is_plain_http_or_https_and_loses_its_last_slash() {
        let read = |text| {
            PUBLIC_BASE_URL.read_optional(&Environment::from_iter([("PUBLIC_BASE_URL", text)]))
        };
        assert_eq!(read("https://a.example/x/"), Ok(Some("https://a.example/x".to_owned())));
        assert_eq!(read(""), Ok(None));
        for text in ["ftp://a.example", "https://a.example?x", "https://a.example#x", "https://a b"]
        {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
