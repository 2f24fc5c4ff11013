use super::*;
use crate::{Role, file_protocol};
use serde_json::{Value, json};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn user(number: u8, name: &str, role: Role) -> User {
    let address = EmailAddress::parse(&format!("{name}@example.org")).unwrap();
    let id = UserId::new(at(0), [number; 10]);
    User::new(id, Username::parse(name).unwrap(), address, role, at(0))
}

fn address(text: &str) -> Recipient {
    Recipient::Address(EmailAddress::parse(text).unwrap())
}

fn client(user: &User) -> Recipient {
    Recipient::Client { id: user.id, username: user.username.clone() }
}

fn only(recipients: &[Recipient]) -> Recipients {
    Recipients::only(recipients.to_vec()).unwrap()
}

fn content() -> Content {
    let sha256 = ContentDigest::of(b"0123456789");
    Content { content_type: "text/plain".to_owned(), sha256, uploaded_at: at(5000) }
}

fn upload(import: Option<Import>) -> FileState {
    let s3_upload = "an upload".to_owned();
    FileState::Uploading(Upload { s3_upload, part_size: 8, ends_at: at(9000), import })
}

fn import() -> Import {
    let url = "https://example.org/a.txt".to_owned();
    Import { url, due_at: at(2000), failures: 0, validator: None, unnamed: false }
}

fn leftover() -> Leftover {
    Leftover { s3_upload: None, due_at: at(6500) }
}

fn rejected(leftover: Option<Leftover>) -> FileState {
    let reason = Rejection::DigestMismatch;
    FileState::Rejected(Rejected { reason, detail: None, rejected_at: at(6000), leftover })
}

fn deleted(leftover: Option<Leftover>) -> FileState {
    FileState::Deleted(Deleted { deleted_at: at(7000), leftover })
}

fn checking() -> FileState {
    FileState::Checking(Check { s3_upload: None, due_at: at(3000), progress: None })
}

fn file(state: FileState) -> File {
    let ops = user(1, "olga", Role::Ops);
    File {
        id: FileId::new(at(1000), [7; 10]),
        filename: FileName::parse("a.txt").unwrap(),
        size: Some(10),
        promised_sha256: None,
        uploaded_by: ops.username,
        uploader: Some(ops.id),
        recipients: Recipients::Everyone,
        notify_recipients: false,
        notify: false,
        note: None,
        expires_at: None,
        state,
        revision: 3,
    }
}

#[test]
fn a_file_is_listed_for_its_audiences_once_it_is_available_and_for_its_uploader_until_deleted() {
    let olga = user(1, "olga", Role::Ops).id;
    let own = (Audience::Uploader(olga), at(1000));
    let everyone = (Audience::Everyone, at(5000));
    for (state, places) in [
        (upload(None), vec![own.clone()]),
        (upload(Some(import())), vec![own.clone()]),
        (checking(), vec![own.clone()]),
        (FileState::Available(content()), vec![everyone.clone(), own.clone()]),
        (rejected(Some(leftover())), vec![own.clone()]),
        (rejected(None), vec![own.clone()]),
        (deleted(Some(leftover())), vec![]),
        (deleted(None), vec![]),
    ] {
        assert_eq!(file(state.clone()).places(), places, "{state:?}");
    }
    let anna = user(2, "anna", Role::Client);
    let recipients = only(&[client(&anna), address("ben@example.org")]);
    let ben = EmailAddress::parse("ben@example.org").unwrap();
    let file = File { recipients, ..file(FileState::Available(content())) };
    let theirs = [Audience::Client(anna.id), Audience::Address(ben)].map(|it| (it, at(5000)));
    assert_eq!(file.places(), [&theirs[..], &[own]].concat());
    let nobody = File { recipients: only(&[]), ..file };
    assert_eq!(nobody.places().len(), 1, "only its uploader");
}

#[test]
fn a_file_counts_until_it_is_rejected_or_deleted() {
    for (state, bytes) in [
        (upload(None), Some(10)),
        (checking(), Some(10)),
        (FileState::Available(content()), Some(10)),
        (rejected(Some(leftover())), None),
        (deleted(Some(leftover())), None),
    ] {
        assert_eq!(file(state.clone()).counts(), bytes, "{state:?}");
    }
    let import = File { size: None, ..file(upload(Some(import()))) };
    assert_eq!(import.counts(), Some(0), "one whose size is not known counts as a file");
}

#[test]
fn what_a_job_is_to_do_and_when_a_record_is_forgotten_follow_from_the_state() {
    let year = SignedDuration::from_hours((365 + 8) * 24);
    for (state, due, forgotten) in [
        (upload(None), Some((Job::Remove, at(9000))), None),
        (upload(Some(import())), Some((Job::Import, at(2000))), None),
        (checking(), Some((Job::Check, at(3000))), None),
        (FileState::Available(content()), None, None),
        (rejected(Some(leftover())), Some((Job::Remove, at(6500))), Some(at(6000) + year)),
        (rejected(None), None, Some(at(6000) + year)),
        (deleted(Some(leftover())), Some((Job::Remove, at(6500))), Some(at(7000) + year)),
        (deleted(None), None, Some(at(7000) + year)),
    ] {
        let file = file(state.clone());
        assert_eq!((file.due(), file.forget_at()), (due, forgotten), "{state:?}");
    }
    let ending = File { expires_at: Some(at(8000)), ..file(FileState::Available(content())) };
    assert_eq!(ending.due(), Some((Job::Remove, at(8000))));
}

#[test]
fn a_client_has_a_file_that_is_available_for_it_and_not_over() {
    let (anna, ben) = (user(2, "anna", Role::Client), user(3, "ben", Role::Client));
    let proven = User { verified: true, ..ben.clone() };
    let available = FileState::Available(content());
    let for_both = only(&[client(&anna), address("ben@example.org")]);
    for (state, recipients, reader, has) in [
        (available.clone(), Recipients::Everyone, &anna, true),
        (available.clone(), for_both.clone(), &anna, true),
        (available.clone(), for_both.clone(), &ben, false),
        (available.clone(), for_both.clone(), &proven, true),
        (available.clone(), only(&[client(&ben)]), &anna, false),
        (available.clone(), only(&[]), &anna, false),
        (checking(), Recipients::Everyone, &anna, false),
        (rejected(None), Recipients::Everyone, &anna, false),
        (deleted(None), Recipients::Everyone, &anna, false),
    ] {
        let file = File { recipients, ..file(state) };
        assert_eq!(file.available_to(reader, at(6000)).is_some(), has, "{file:?}");
    }
    let ending = File { expires_at: Some(at(8000)), ..file(available) };
    assert!(ending.available(at(7999)).is_some());
    assert!(ending.available(at(8000)).is_none(), "its end is the first moment without it");
}

#[test]
fn a_file_for_a_group_is_for_whoever_is_in_it_now_and_not_in_a_later_one_of_its_name() {
    let name: GroupName = "board".parse().unwrap();
    let (id, later) = (GroupId::new(at(0), [1; 10]), GroupId::new(at(0), [2; 10]));
    let group = Recipient::Group { id, name };
    assert_eq!(group.to_text(), "group:board");
    let recipients = only(&[group]);
    assert_eq!(recipients.audiences(), [Audience::Group(id)]);
    let anna = user(2, "anna", Role::Client);
    let joined = |groups: &[GroupId]| User { groups: groups.to_vec(), ..anna.clone() };
    assert!(recipients.include(&joined(&[later, id])));
    assert!(!recipients.include(&joined(&[later])));
    assert!(!recipients.include(&anna));
}

#[test]
fn recipients_are_at_most_forty_and_each_of_them_once() {
    let address = |number: usize| address(&format!("client{number}@example.org"));
    let forty: Vec<_> = (0..40).map(address).collect();
    assert_eq!(only(&forty).named(), forty);
    let twice: Vec<_> = forty.iter().chain(&forty).cloned().collect();
    assert_eq!(only(&twice).named(), forty);
    let more: Vec<_> = (0..41).map(address).collect();
    assert_eq!(Recipients::only(more).unwrap_err().0, "must be at most 40 recipients");
}

#[test]
fn those_are_added_who_were_not_named_before_whatever_their_name_is_now() {
    let anna = user(2, "anna", Role::Client);
    let renamed = User { username: Username::parse("anne").unwrap(), ..anna.clone() };
    let (ben, carl) = (address("ben@example.org"), address("carl@example.org"));
    let before = only(&[client(&anna), ben.clone()]);
    let after = only(&[client(&renamed), carl.clone(), ben.clone()]);
    assert_eq!(after.added_to(&before), [carl]);
    assert_eq!(before.added_to(&after), []);
    assert_eq!(before.added_to(&Recipients::Everyone), before.named());
    assert_eq!(Recipients::Everyone.added_to(&before), []);
}

#[test]
fn a_record_of_a_version_that_knew_only_files_that_are_available_is_one() {
    let record = json!({
        "file_id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "id": "017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "filename": "digits.txt",
        "size": 10,
        "content_type": "text/plain",
        // printf 0123456789 | sha256sum
        "sha256": "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882",
        "uploaded_by": "ops",
        "uploaded_at": "2026-01-02T03:04:05.678Z",
        "state": "available",
    });
    let file: File = serde_json::from_value(record).unwrap();
    assert_eq!((file.revision, file.uploader, &file.note), (0, None, &None));
    assert_eq!(file.recipients, Recipients::Everyone);
    let read = file.available(at(0)).unwrap();
    assert_eq!((read.size, read.filename.as_str()), (10, "digits.txt"));
    assert_eq!(read.sha256, ContentDigest::of(b"0123456789"));
    assert_eq!(file.due(), None, "it is kept");
    assert_eq!(file.places().len(), 1, "nobody's own list has it");
    let gone = file_protocol::delete(&file, at(9000)).unwrap();
    assert_eq!(gone.revision, 1);
    let shown = serde_json::to_value(&gone).unwrap();
    assert_eq!(shown["state"], "deleted");
    assert_eq!(shown.get("sha256"), None::<&Value>);
}

#[test]
fn a_record_of_every_state_survives_its_json() {
    let states = [
        upload(None),
        upload(Some(import())),
        checking(),
        FileState::Available(content()),
        rejected(Some(leftover())),
        deleted(Some(leftover())),
    ];
    for state in states {
        let anna = user(2, "anna", Role::Client);
        let recipients = only(&[client(&anna), address("ben@example.org")]);
        let file = File { recipients, expires_at: Some(at(8000)), ..file(state) };
        let text = serde_json::to_string(&file).unwrap();
        assert_eq!(serde_json::from_str::<File>(&text).unwrap(), file, "{text}");
    }
}
