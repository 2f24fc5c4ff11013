//! The steps of an import.

use super::*;
use crate::{UserId, Username};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn named(name: &str) -> FileName {
    FileName::parse(name).unwrap()
}

fn import() -> File {
    let import = Import {
        url: "https://example.com/report".to_owned(),
        due_at: second(10),
        failures: 0,
        validator: None,
        unnamed: true,
    };
    let upload = Upload {
        s3_upload: "first".to_owned(),
        part_size: LEAST_PART_BYTES,
        ends_at: second(1_000_000),
        import: Some(import),
    };
    File {
        id: FileId::new(second(1), [7; 10]),
        filename: named("report"),
        size: None,
        promised_sha256: None,
        uploaded_by: Username::parse("ops").unwrap(),
        uploader: Some(UserId::new(second(1), [7; 10])),
        recipients: Recipients::Everyone,
        notify_recipients: false,
        notify: false,
        note: None,
        expires_at: None,
        state: FileState::Uploading(upload),
        revision: 1,
    }
}

fn under_way(file: &File) -> (&Upload, &Import) {
    let FileState::Uploading(upload) = &file.state else { panic!("not uploading: {file:?}") };
    (upload, upload.import.as_ref().unwrap())
}

fn begin(filename: Option<&str>, size: Option<u64>, validator: Option<&str>) -> BeginImport {
    BeginImport {
        s3_upload: "second".to_owned(),
        filename: filename.map(named),
        size,
        validator: validator.map(str::to_owned),
    }
}

#[test]
fn an_import_takes_over_what_the_source_says_of_the_file() {
    let begun = begin_import(&import(), begin(Some("a.pdf"), Some(7), Some("\"1\""))).unwrap();
    let (upload, import) = under_way(&begun);
    assert_eq!((begun.filename.as_str(), begun.size), ("a.pdf", Some(7)));
    assert_eq!(upload.s3_upload, "second");
    assert_eq!((import.validator.as_deref(), import.unnamed), (Some("\"1\""), false));
}

#[test]
fn an_import_that_begins_anew_forgets_the_size_and_version_of_before_but_not_the_name() {
    let first = begin_import(&import(), begin(Some("a.pdf"), Some(7), Some("\"1\""))).unwrap();
    let again = begin_import(&first, begin(None, None, None)).unwrap();
    assert_eq!((again.filename.as_str(), again.size), ("a.pdf", None));
    assert_eq!(under_way(&again).1.validator, None);
    assert!(!under_way(&again).1.unnamed);
}

#[test]
fn an_import_that_breaks_off_waits_longer_each_time_and_ends_with_the_fifth() {
    let mut file = import();
    let mut pauses = Vec::new();
    while let Some(next) = retry_import(&file, false, second(100)) {
        pauses.push(under_way(&next).1.due_at.as_second() - 100);
        file = next;
    }
    assert_eq!(pauses, [10, 30, 90, 270]);
    // What cannot be continued has gained nothing by a part.
    assert_eq!(retry_import(&file, true, second(100)), None);
    let FileState::Uploading(Upload { import: Some(import), .. }) = &mut file.state else {
        panic!("not uploading: {file:?}")
    };
    import.validator = Some("\"1\"".to_owned());
    let after_a_part = retry_import(&file, true, second(100)).unwrap();
    assert_eq!(under_way(&after_a_part).1.failures, 1, "a new part begins the count anew");
}

#[test]
fn an_import_that_fails_says_why_and_leaves_its_parts_to_be_removed() {
    let detail = Some("the host answered with status 404".to_owned());
    let failed = fail_import(&import(), Rejection::ImportFailed, detail.clone(), second(9));
    let FileState::Rejected(rejected) = failed.unwrap().state else { panic!("not rejected") };
    assert_eq!((rejected.reason, rejected.detail), (Rejection::ImportFailed, detail));
    assert_eq!(rejected.leftover.unwrap().s3_upload.as_deref(), Some("first"));
}

#[test]
fn nothing_begins_retries_fails_or_ends_an_import_that_is_over() {
    let now = second(9);
    for over in [delete(&import(), now).unwrap(), end_import(&import(), 3, now).unwrap()] {
        assert_eq!(begin_import(&over, begin(None, None, None)), None);
        assert_eq!(retry_import(&over, true, now), None);
        assert_eq!(fail_import(&over, Rejection::ImportFailed, None, now), None);
        assert_eq!(end_import(&over, 3, now), None);
    }
}
