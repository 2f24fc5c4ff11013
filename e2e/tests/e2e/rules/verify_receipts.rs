//! `verify-receipts`.

use serde::Deserialize;
use serde_json::Value;
use share_e2e::{Scene, World};

use crate::SERVER;

/// A way to tamper with a link, and what is said of it. `stage/checks/receipts.py` goes through the
/// same ways.
#[derive(Deserialize)]
struct Tampering {
    what: String,
    says: String,
    /// `live` for a link that has not been used; or else it has been redeemed and resumed.
    #[serde(default)]
    link: String,
    r#do: Vec<Value>,
}

const DAY: i64 = 86_400;

#[tokio::test]
async fn verify_receipts_names_whatever_was_changed_left_out_or_cannot_have_happened() {
    let mut ways: Vec<Tampering> =
        serde_json::from_str(include_str!("../../../tampering.json")).unwrap();
    assert!(ways.len() >= 25);
    ways.push(Tampering {
        what: "nothing".to_owned(),
        says: String::new(),
        link: String::new(),
        r#do: vec![],
    });
    // The files are so old that the links to them could be forgotten. The links are not.
    let world = World::start().await;
    world.pass(-400 * DAY);
    let mut files = Vec::new();
    for _ in &ways {
        files.push(world.some_file().await);
    }
    world.pass(400 * DAY);
    let mut scene = Scene::in_world(world).await;
    let mut cases = Vec::new();
    for (Tampering { what, says, link, r#do }, file) in ways.into_iter().zip(files) {
        scene.file = file;
        let (used, live) = (scene.plain_link().await, scene.plain_link().await);
        let lease = scene.download(&used, "", "bytes=0-1").await.lease().to_owned();
        scene.download(&used, &lease, "bytes=2-").await.is(206);
        let [target, other] = if link == "live" { [&live, &used] } else { [&used, &live] };
        for change in &r#do {
            scene.store.tamper(&target.id, Some(&lease), change).await;
        }
        let others = if link == "live" { 5 } else { 1 };
        cases.push((what, says, scene.file.clone(), target.id.clone(), (other.id.clone(), others)));
    }
    let unused = scene.some_file().await;
    let early = SERVER.run(&["verify-receipts", &cases[0].2], scene.data.path());
    assert_eq!(early.code, Some(1), "while the server runs");
    assert!(early.err.contains("another server is using the data folder"), "{}", early.err);

    let data = scene.world.stop().await;
    for (what, says, file, link, (other, receipts)) in cases {
        let verified = SERVER.run(&["verify-receipts", &file], data.path());
        let whole = |link: &str, receipts: u32| {
            format!("link {link}: receipts {receipts}, all as they were written")
        };
        let lines: Vec<_> = verified.out.lines().collect();
        assert_eq!(lines.len(), 2, "{what}: {}{}", verified.out, verified.err);
        assert!(lines.contains(&whole(&other, receipts).as_str()), "{what}: {lines:?}");
        let line = lines.iter().find(|line| line.contains(&link)).unwrap();
        let (code, message) = if what == "nothing" {
            assert_eq!(*line, whole(&link, 5));
            (0, "")
        } else {
            assert!(line.contains(&says), "{what}: {line}");
            (1, "share-local: the receipts of 1 of 2 links do not hold\n")
        };
        assert_eq!((verified.code, verified.err.as_str()), (Some(code), message), "{what}");
    }
    let none = SERVER.run(&["verify-receipts", &unused], data.path());
    assert_eq!(none.code, Some(1));
    let message = format!("there are no links to the file {unused}");
    assert!(none.err.contains(&message), "{}", none.err);
}
