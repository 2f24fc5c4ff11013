//! `verify-receipts`.

use share_e2e::samples::sha256;
use share_e2e::store::{Store, StoredReceipt};
use share_e2e::{Link, Scene};

use crate::SERVER;

/// Changes the five receipts of a link, or its own record, as `change` says.
async fn tamper(store: &Store, link: &Link, change: &str) {
    let mut receipts = store.receipts(&store.link(&link.id).await).await;
    assert_eq!(receipts.len(), 5);
    let forge = |receipt: &mut StoredReceipt, with_hash: bool| {
        let forged = receipt.text().replace("127.0.0.1", "127.0.0.2");
        assert_ne!(forged, receipt.text());
        if with_hash {
            receipt.set_hash(&sha256(forged.as_bytes()));
        }
        receipt.set_text(&forged);
    };
    match change {
        "the text" => forge(&mut receipts[1], false),
        "the text and its hash" => forge(&mut receipts[1], true),
        "the hash" => receipts[4].set_hash(&sha256(b"")),
        "two that change places" => {
            let (one, other) = (receipts[1].clone(), receipts[3].clone());
            for (place, content) in [(1, other), (3, one)] {
                receipts[place].set_text(content.text());
                receipts[place].set_hash(content.hash());
            }
        }
        "the first" => store.delete_receipt(&receipts.remove(0)).await,
        "one in the middle" => store.delete_receipt(&receipts.remove(2)).await,
        "the last" => store.delete_receipt(&receipts.remove(4)).await,
        "all" => {
            for receipt in std::mem::take(&mut receipts) {
                store.delete_receipt(&receipt).await;
            }
        }
        "the link" => store.delete_link(&link.id).await,
        nothing => assert_eq!(nothing, "nothing"),
    }
    for receipt in receipts {
        store.put_receipt(receipt).await;
    }
}

#[tokio::test]
async fn verify_receipts_finds_whatever_was_changed_or_left_out() {
    let mut scene = Scene::start().await;
    let mut cases = Vec::new();
    for (change, complaint) in [
        ("nothing", ""),
        ("the text", "receipt 2 has been changed"),
        ("the text and its hash", "receipt 2 has been changed"),
        ("the hash", "receipt 5 has been changed"),
        ("two that change places", "receipt 2 is missing"),
        ("the first", "receipt 1 is missing"),
        ("one in the middle", "receipt 3 is missing"),
        ("the last", "receipt 5 is missing"),
        ("all", "receipt 1 is missing"),
        ("the link", "the link's own record is missing"),
    ] {
        scene.file = scene.some_file().await;
        let (link, other) = (scene.plain_link().await, scene.plain_link().await);
        let lease = scene.download(&link, "", "bytes=0-1").await.lease().to_owned();
        scene.download(&link, &lease, "bytes=2-").await.is(206);
        tamper(&scene.store, &link, change).await;
        cases.push((change, complaint, scene.file.clone(), link.id, other.id));
    }
    let unused = scene.some_file().await;
    let early = SERVER.run(&["verify-receipts", &cases[0].2], scene.data.path());
    assert_eq!(early.code, Some(1), "while the server runs");
    assert!(early.err.contains("another server is using the data folder"), "{}", early.err);

    let data = scene.world.stop().await;
    for (change, complaint, file, link, other) in cases {
        let verified = SERVER.run(&["verify-receipts", &file], data.path());
        let mut lines: Vec<_> = verified.out.lines().collect();
        lines.sort_unstable();
        let whole = |link: &str, receipts: u32| {
            format!("link {link}: receipts {receipts}, all as they were written")
        };
        let first = match change {
            "nothing" => whole(&link, 5),
            _ => format!("link {link}: {complaint}"),
        };
        let mut expected = [first, whole(&other, 1)];
        expected.sort_unstable();
        assert_eq!(lines, expected, "{change}");
        let (code, message) = match change {
            "nothing" => (0, ""),
            _ => (1, "share-local: the receipts of 1 of 2 links do not hold\n"),
        };
        assert_eq!((verified.code, verified.err.as_str()), (Some(code), message), "{change}");
    }
    let none = SERVER.run(&["verify-receipts", &unused], data.path());
    assert_eq!(none.code, Some(1));
    let message = format!("there are no links to the file {unused}");
    assert!(none.err.contains(&message), "{}", none.err);
}
