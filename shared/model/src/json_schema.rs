//! How the value types look in JSON (JSON Schema 2020-12), for the API's description.
//!
//! The bounds are those that each type's `parse` checks; an end-to-end test tries them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::{
    ContentDigest, EmailAddress, FileId, FileName, LinkId, LinkNote, MaxDownloads, UserId, Username,
};

/// `describe!(Type, { … })` implements [`JsonSchema`] for `Type`, which goes into other schemas as
/// it stands.
macro_rules! describe {
    ($type:ident, { $($schema:tt)* }) => {
        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ $($schema)* })
            }
        }
    };
}

describe!(FileId, { "type": "string", "format": "uuid" });
describe!(UserId, { "type": "string", "format": "uuid" });
describe!(LinkId, { "type": "string", "pattern": "^[A-Za-z0-9_-]{43}$" });
describe!(ContentDigest, { "type": "string", "pattern": "^[0-9a-f]{64}$" });
describe!(FileName, { "type": "string", "minLength": 1, "maxLength": FileName::MAX_BYTES });
describe!(Username, {
    "type": "string",
    "minLength": Username::MIN_LENGTH,
    "maxLength": Username::MAX_LENGTH,
    // Username::parse knows more rules, which a pattern cannot say.
    "pattern": "^[^@\\s]*$",
});
describe!(EmailAddress, {
    "type": "string", "format": "email", "maxLength": EmailAddress::MAX_LENGTH,
});
describe!(MaxDownloads, { "type": "integer", "minimum": 1, "maximum": MaxDownloads::MAX });
describe!(LinkNote, { "type": "string", "minLength": 1, "maxLength": LinkNote::MAX_CHARACTERS });

/// A moment: RFC 3339, UTC, three decimals.
pub(crate) fn moment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "date-time" })
}
