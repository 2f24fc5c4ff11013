//! What S3 tells EventBridge of its objects.
//!
//! The user guide, "EventBridge event message structure". There are no versions here, so there is
//! no `version-id`, and what is deleted is deleted for good.

use serde_json::{Map, json};
use uuid::Uuid;

use crate::event_bus::{ACCOUNT, Event, EventBus};

/// The operation that changed an object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reason {
    PutObject,
    CompleteMultipartUpload,
    DeleteObject,
}

/// Tells of a change of the object at `(bucket, key)`: that it was created with a size and an entity
/// tag, or deleted.
pub(super) fn notify(
    events: &EventBus,
    reason: Reason,
    (bucket, key): (&str, &str),
    created: Option<(u64, &str)>,
) {
    let reason = match reason {
        Reason::PutObject => "PutObject",
        Reason::CompleteMultipartUpload => "CompleteMultipartUpload",
        Reason::DeleteObject => "DeleteObject",
    };
    let at = events.now();
    // Of two events for a key, the later one has the larger sequencer.
    let sequencer = format!("{:016X}", at.as_nanosecond());
    let (detail_type, object) = match created {
        Some((size, e_tag)) => (
            "Object Created",
            json!({ "key": key, "size": size, "etag": e_tag, "sequencer": sequencer }),
        ),
        None => ("Object Deleted", json!({ "key": key, "sequencer": sequencer })),
    };
    let mut detail = Map::from_iter([
        ("version".to_owned(), "0".into()),
        ("bucket".to_owned(), json!({ "name": bucket })),
        ("object".to_owned(), object),
        ("request-id".to_owned(), Uuid::new_v4().simple().to_string().into()),
        ("requester".to_owned(), ACCOUNT.into()),
        ("source-ip-address".to_owned(), "127.0.0.1".into()),
        ("reason".to_owned(), reason.into()),
    ]);
    if created.is_none() {
        detail.insert("deletion-type".to_owned(), "Permanently Deleted".into());
    }
    let (resource, detail) = (format!("arn:aws:s3:::{bucket}"), detail.into());
    events.publish(Event { at, source: "aws.s3", detail_type, resource, detail });
}
