use super::*;
use crate::{EmailAddress, Role, UserId, Username};

const GIB: u64 = 1024 * 1024 * 1024;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

const NOW: i64 = 1_000_000;

fn now() -> Timestamp {
    at(NOW)
}

fn content() -> Content {
    let sha256 = ContentDigest::of(b"0123456789");
    Content { content_type: "text/plain".to_owned(), sha256, uploaded_at: now() }
}

fn import() -> Import {
    let url = "https://example.org/a.txt".to_owned();
    Import { url, due_at: at(NOW - 1), failures: 0, validator: None, unnamed: false }
}

fn uploading(ends_at: i64, import: Option<Import>) -> FileState {
    let s3_upload = "S3's id".to_owned();
    FileState::Uploading(Upload { s3_upload, part_size: 8, ends_at: at(ends_at), import })
}

fn checking(s3_upload: Option<&str>) -> FileState {
    let s3_upload = s3_upload.map(str::to_owned);
    FileState::Checking(Check { s3_upload, due_at: at(NOW - 1), progress: None })
}

fn leftover(s3_upload: Option<&str>) -> Leftover {
    Leftover { s3_upload: s3_upload.map(str::to_owned), due_at: at(NOW - 1) }
}

fn rejected(leftover: Option<Leftover>) -> FileState {
    let reason = Rejection::DigestMismatch;
    FileState::Rejected(Rejected { reason, detail: None, rejected_at: at(NOW - 5), leftover })
}

fn deleted(leftover: Option<Leftover>) -> FileState {
    FileState::Deleted(Deleted { deleted_at: at(NOW - 5), leftover })
}

fn file(state: FileState, expires_at: Option<i64>) -> File {
    let new = NewFile {
        id: FileId::new(at(1000), [7; 10]),
        filename: FileName::parse("a.txt").unwrap(),
        promised_sha256: None,
        recipients: Recipients::Everyone,
        notify_recipients: false,
        notify: false,
        note: None,
        expires_at: expires_at.map(at),
    };
    let (name, address) = (Username::parse("olga"), EmailAddress::parse("olga@example.org"));
    let id = UserId::new(at(0), [1; 10]);
    let ops = User::new(id, name.unwrap(), address.unwrap(), Role::Ops, at(0));
    File::new(new, Some(10), state, &ops)
}

/// What has become of a file, in a word: its state, or why the step was not taken.
fn outcome(before: &File, after: Option<File>) -> &'static str {
    let Some(after) = after else { return "-" };
    assert_eq!(after.revision, before.revision + 1, "each change is a revision");
    assert_eq!((after.id, after.uploader), (before.id, before.uploader));
    match after.state {
        FileState::Uploading(Upload { import: None, .. }) => "uploading",
        FileState::Uploading(_) => "importing",
        FileState::Checking(_) => "checking",
        FileState::Available(_) => "available",
        FileState::Rejected(_) => "rejected",
        FileState::Deleted(_) => "deleted",
    }
}

fn refusable(before: &File, step: Result<Option<File>, UploadRefusal>) -> &'static str {
    match step {
        Ok(after) => outcome(before, after),
        Err(UploadRefusal::Ended) => "ended",
        Err(UploadRefusal::Completed) => "completed",
        Err(UploadRefusal::Imported) => "imported",
    }
}

#[test]
fn every_step_in_every_state_has_the_outcome_of_this_table() {
    let upload = Some("S3's id");
    #[rustfmt::skip]
    let table = [
        // complete, abort, claim, pause_check, pause_import, end_import, accept, reject, edit, delete, end, removed
        ("uploading", file(uploading(NOW + 1, None), None),
         ["checking", "deleted", "-", "-", "-", "-", "-", "rejected", "uploading", "deleted", "-", "-"]),
        ("uploading, over", file(uploading(NOW, None), None),
         ["ended", "deleted", "-", "-", "-", "-", "-", "rejected", "uploading", "deleted", "deleted", "-"]),
        ("importing", file(uploading(NOW + 1, Some(import())), None),
         ["imported", "deleted", "importing", "-", "importing", "checking", "-", "rejected", "importing", "deleted", "-", "-"]),
        ("checking, of parts", file(checking(upload), None),
         ["-", "completed", "checking", "checking", "-", "-", "available", "rejected", "checking", "deleted", "-", "-"]),
        ("checking, sent at once", file(checking(None), Some(NOW)),
         ["-", "completed", "checking", "checking", "-", "-", "available", "rejected", "checking", "deleted", "-", "-"]),
        ("available", file(FileState::Available(content()), None),
         ["-", "completed", "-", "-", "-", "-", "-", "-", "available", "deleted", "-", "-"]),
        ("available, before its end", file(FileState::Available(content()), Some(NOW + 1)),
         ["-", "completed", "-", "-", "-", "-", "-", "-", "available", "deleted", "-", "-"]),
        ("available, at its end", file(FileState::Available(content()), Some(NOW)),
         ["-", "completed", "-", "-", "-", "-", "-", "-", "available", "deleted", "deleted", "-"]),
        ("rejected, with bytes", file(rejected(Some(leftover(upload))), Some(NOW)),
         ["-", "completed", "rejected", "-", "-", "-", "-", "-", "rejected", "deleted", "-", "rejected"]),
        ("rejected, without", file(rejected(None), Some(NOW)),
         ["-", "completed", "-", "-", "-", "-", "-", "-", "rejected", "deleted", "-", "-"]),
        ("deleted, with bytes", file(deleted(Some(leftover(None))), Some(NOW)),
         ["ended", "-", "deleted", "-", "-", "-", "-", "-", "-", "-", "-", "deleted"]),
        ("deleted, without", file(deleted(None), Some(NOW)),
         ["ended", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ];
    for (name, file, expected) in table {
        let outcomes = [
            refusable(&file, complete(&file, now())),
            refusable(&file, abort(&file, now())),
            outcome(&file, claim(&file, now())),
            outcome(&file, pause_check(&file, None, now())),
            outcome(&file, pause_import(&file, import())),
            outcome(&file, end_import(&file, 12, now())),
            outcome(&file, accept(&file, content())),
            outcome(&file, reject(&file, Rejection::Malware, now())),
            outcome(&file, edit(&file, FileEdit::default())),
            outcome(&file, delete(&file, now())),
            outcome(&file, end(&file, now())),
            outcome(&file, removed(&file)),
        ];
        assert_eq!(outcomes, expected, "{name}");
    }
}

#[test]
fn whatever_may_be_in_s3_is_remembered_until_it_is_removed() {
    let s3_upload = Some("S3's id".to_owned());
    for (state, known) in [
        (uploading(NOW + 1, None), s3_upload.clone()),
        (uploading(NOW + 1, Some(import())), s3_upload.clone()),
        (checking(Some("S3's id")), s3_upload.clone()),
        (checking(None), None),
        (FileState::Available(content()), None),
        (rejected(Some(leftover(Some("S3's id")))), s3_upload),
        (rejected(None), None),
    ] {
        let gone = delete(&file(state.clone(), None), now()).unwrap();
        let leftover = Some(Leftover { s3_upload: known, due_at: now() });
        let expected = FileState::Deleted(Deleted { deleted_at: now(), leftover });
        assert_eq!(gone.state, expected, "{state:?}");
        let clean = removed(&gone).unwrap();
        assert_eq!(clean.due(), None);
        assert_eq!(removed(&clean), None);
    }
}

#[test]
fn bytes_that_are_on_their_way_at_once_are_removed_when_nobody_can_bring_them_any_more() {
    let ops = file(checking(None), None);
    let receiving = |s3_upload: Option<&str>| {
        let s3_upload = s3_upload.map(str::to_owned);
        let check = Check { s3_upload, due_at: now() + CLAIM, progress: None };
        File { state: FileState::Checking(check), ..ops.clone() }
    };
    let due = |file: &File| delete(file, now()).unwrap().due().unwrap().1;
    assert_eq!(due(&receiving(None)), now() + CLAIM);
    assert_eq!(due(&receiving(Some("S3's id"))), now(), "an upload is aborted first");
}

#[test]
fn a_claim_keeps_others_away_for_sixteen_minutes() {
    for state in [
        uploading(NOW + 1, Some(import())),
        checking(None),
        rejected(Some(leftover(None))),
        deleted(Some(leftover(None))),
    ] {
        let claimed = claim(&file(state, None), now()).unwrap();
        assert_eq!(claimed.due().unwrap().1, at(NOW + 16 * 60), "{claimed:?}");
    }
}

#[test]
fn an_edit_changes_what_it_names_and_nothing_else() {
    let note = |text| Some(LinkNote::parse(text).unwrap());
    let before = File { note: note("old"), ..file(FileState::Available(content()), Some(NOW)) };
    let unchanged = edit(&before, FileEdit::default()).unwrap();
    assert_eq!(File { revision: before.revision, ..unchanged }, before);
    let nobody = Recipients::only(Vec::new()).unwrap();
    let after = edit(
        &before,
        FileEdit {
            filename: Some(FileName::parse("b.txt").unwrap()),
            note: Some(None),
            expires_at: Some(None),
            recipients: Some(nobody.clone()),
            notify_recipients: Some(true),
        },
    );
    let after = after.unwrap();
    assert_eq!(after.filename.as_str(), "b.txt");
    assert_eq!((after.note, after.expires_at), (None, None));
    assert_eq!((after.recipients, after.notify_recipients), (nobody, true));
    assert_eq!(after.state, before.state);
}

#[test]
fn an_import_has_its_size_when_its_bytes_have_come() {
    let importing = File { size: None, ..file(uploading(NOW + 1, Some(import())), None) };
    assert_eq!(end_import(&importing, 12, now()).unwrap().size, Some(12));
}

#[test]
fn parts_are_8_mib_or_as_large_as_ten_thousand_of_them_must_be() {
    let least = 8 * 1024 * 1024;
    let most_of_least = least * 10_000;
    for (size, bytes, count) in [
        (1, least, 1),
        (least - 1, least, 1),
        (least, least, 1),
        (least + 1, least, 2),
        (most_of_least, least, 10_000),
        (most_of_least + 1, least + 1, 10_000),
        (100 * GIB, 10_737_419, 10_000),
        // 5 TiB: 5,497,558,138,880 / 10,000 is 549,755,813.888.
        (5 * 1024 * GIB, 549_755_814, 10_000),
    ] {
        let part = part_size(size);
        assert_eq!((part, parts(size, part)), (bytes, count), "{size}");
        assert!(part <= 5 * GIB, "S3 takes no larger part");
        let remainder = part_length(size, part, count).unwrap();
        assert!((1..=part).contains(&remainder), "{size}: {remainder}");
        assert_eq!((count - 1) * part + remainder, size, "the parts are the file");
        assert_eq!(part_length(size, part, 0), None);
        assert_eq!(part_length(size, part, count + 1), None);
        assert_eq!(part_length(size, part, u64::MAX), None);
        if count > 1 {
            assert_eq!(part_length(size, part, 1), Some(part));
        }
    }
    assert_eq!(MOST_BYTES, 5 * 1024 * GIB);
}

proptest::proptest! {
    #[test]
    fn the_parts_of_any_file_are_at_most_ten_thousand_and_add_up(size in 1..=MOST_BYTES) {
        let part = part_size(size);
        let count = parts(size, part);
        proptest::prop_assert!((1..=MOST_PARTS).contains(&count));
        let last = part_length(size, part, count).unwrap();
        proptest::prop_assert_eq!((count - 1) * part + last, size);
    }
}
