//! `GET /api/links/{id}/certificate`, and the public keys with which certificates are checked.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use share_auth::{CertificateKeys, CertificateRefusal, PublicKeys};
use share_e2e::samples::sha256;
use share_e2e::scene::DIGITS;
use share_e2e::{Link, Scene, World, routes};
use share_model::{Certificate, CertificateFault};
use tempfile::TempDir;

use crate::SERVER;

const SECRET: &str = "the-secret-of-certificates-that-only-tests-know";
const FORMER: &str = "a-secret-of-certificates-that-was-there-before";

async fn scene() -> Scene {
    Scene::start_with(&[("CERTIFICATE_SECRET", SECRET)]).await
}

async fn certificate(scene: &Scene, link: &Link) -> String {
    scene.get(&routes::certificate(&link.id), &scene.client).await.is(200).text()
}

async fn key_set(world: &World) -> String {
    world.open(&world.url(routes::KEYS)).await.is(200).text()
}

async fn public_keys(world: &World) -> PublicKeys {
    PublicKeys::parse(&key_set(world).await).unwrap()
}

/// The second of the three parts.
fn claims(certificate: &str) -> Value {
    let payload = certificate.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// A link of which everything has happened that can.
async fn eventful_link(scene: &Scene) -> Link {
    let link = scene.link(&json!({"max_downloads": 2, "note": "for the accountant"})).await;
    let lease = scene.begin(&link).await;
    scene.download(&link, &lease, "bytes=5-").await.is(206);
    scene.download(&link, "", "bytes=0-1").await.is(206);
    scene.revoke(&link).await.is(204);
    link
}

fn file(folder: &TempDir, name: &str, content: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_certificate_says_what_became_of_a_link_and_can_be_checked_without_the_service() {
    let scene = scene().await;
    let link = eventful_link(&scene).await;
    let path = routes::certificate(&link.id);
    let answer = scene.get(&path, &scene.client).await;
    answer.is(200);
    assert_eq!(answer.header("content-type"), "application/jwt");
    let name = format!("attachment; filename=\"certificate-{}.jwt\"", link.id);
    assert_eq!(answer.header("content-disposition"), name);
    let genuine = answer.text();
    let claims = claims(&genuine);
    let for_ops = scene.get(&path, &scene.ops).await.is(200).text();
    assert_eq!(self::claims(&for_ops)["delivery"], claims["delivery"]);

    assert_eq!(claims["iss"], scene.base);
    assert_eq!(claims["sub"], link.id);
    assert_eq!(claims["filename"], "digits.txt");
    assert_eq!(claims["uploaded_by"], "ops");
    let delivery = &claims["delivery"];
    assert_eq!(delivery["file_id"], scene.file);
    assert_eq!(delivery["sha256"], sha256(DIGITS));
    assert_eq!(delivery["size"], 10);
    assert_eq!(delivery["username"], "client");
    assert_eq!(delivery["note"], "for the accountant");
    assert_eq!(delivery["max_downloads"], 2);
    assert!(delivery["revoked_at"].is_string());
    let [first, second] = delivery["downloads"].as_array().unwrap().as_slice() else { panic!() };
    let ends = |download: &Value| -> Vec<_> {
        let transfers = download["transfers"].as_array().unwrap().iter();
        transfers.map(|it| (it["end"]["bytes"].clone(), it["end"]["outcome"].clone())).collect()
    };
    assert_eq!(ends(first), [(json!(5), json!("partial")), (json!(5), json!("completed"))]);
    assert!(first["completed_at"].is_string());
    assert_eq!(ends(second), [(json!(2), json!("partial"))]);
    assert!(second["completed_at"].is_null());
    assert_eq!(first["transfers"][1]["address"], "127.0.0.1");
    let receipts = claims["receipts"].as_array().unwrap();
    let stored = scene.store.receipts(&scene.store.link(&link.id).await).await;
    assert_eq!(receipts.len(), 8);
    for (certified, stored) in receipts.iter().zip(&stored) {
        assert_eq!(certified["receipt"], stored.text());
        assert_eq!(certified["hash"], stored.hash());
    }

    let folder = TempDir::new().unwrap();
    let kept = file(&folder, "certificate.jwt", &genuine);
    let keys = file(&folder, "keys.json", &key_set(&scene).await);
    let elsewhere = TempDir::new().unwrap();
    let arguments = ["verify-certificate", text(&kept), "--keys", text(&keys)];
    let verified = SERVER.run(&arguments, elsewhere.path());
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    for line in ["good: issued by", "download 1: every byte was sent by", "receipts 8"] {
        assert!(verified.out.contains(line), "{}", verified.out);
    }
    let without_keys = SERVER.run(&["verify-certificate", text(&kept)], elsewhere.path());
    assert_eq!(without_keys.code, Some(1), "there is no data folder");
    let changed = file(&folder, "changed.jwt", &format!("{genuine}A"));
    let arguments = ["verify-certificate", text(&changed), "--keys", text(&keys)];
    assert_eq!(SERVER.run(&arguments, elsewhere.path()).code, Some(1));
}

#[tokio::test]
async fn the_local_server_keeps_a_secret_of_its_own_for_certificates() {
    let scene = Scene::start().await;
    let link = scene.plain_link().await;
    let certificate = certificate(&scene, &link).await;
    let before = key_set(&scene).await;
    let data = scene.world.stop().await;
    let kept = file(&data, "certificate.jwt", &certificate);
    let verified = SERVER.run(&["verify-certificate", text(&kept)], data.path());
    assert_eq!(verified.code, Some(0), "{}", verified.err);
    let again = SERVER.start(data.path());
    let after = again.api.open(&again.api.url(routes::KEYS)).await.is(200).text();
    assert_eq!(after, before);
}

#[tokio::test]
async fn only_ops_and_the_client_that_made_a_link_get_its_certificate() {
    let scene = scene().await;
    let link = scene.plain_link().await;
    let path = routes::certificate(&link.id);
    let other = scene.another_client("rosa").await;
    scene.get(&path, &other).await.refused(404, "link_unknown");
    let unknown = routes::certificate(&"A".repeat(43));
    for token in [&scene.client, &scene.ops] {
        scene.get(&path, token).await.is(200);
        scene.get(&unknown, token).await.refused(404, "link_unknown");
        scene.get(&routes::certificate("short"), token).await.refused(400, "invalid_parameter");
    }
    let admin = scene.token("admin").await;
    scene.get(&path, &admin).await.refused(403, "wrong_role");
}

#[tokio::test]
async fn a_link_whose_receipts_do_not_hold_gets_no_certificate() {
    let scene = scene().await;
    let link = scene.plain_link().await;
    scene.download(&link, "", "").await.is(200);
    let tamper = async |change: Value| scene.store.tamper(&link.id, None, &change).await;
    let (true_address, other) = ("127.0.0.1", "127.0.0.2");
    tamper(json!({"text": 2, "from": true_address, "to": other, "hash": true})).await;
    scene.get(&routes::certificate(&link.id), &scene.ops).await.refused(409, "receipts_broken");
    tamper(json!({"text": 2, "from": other, "to": true_address, "hash": true})).await;
    scene.get(&routes::certificate(&link.id), &scene.ops).await.is(200);
    tamper(json!({"delete": "receipt", "number": 3})).await;
    scene.get(&routes::certificate(&link.id), &scene.ops).await.refused(409, "receipts_broken");
}

#[tokio::test]
async fn what_cannot_have_happened_is_neither_certified_nor_believed() {
    let scene = scene().await;
    let link = scene.plain_link().await;
    scene.download(&link, "", "").await.is(200);
    let keys = public_keys(&scene).await;
    let mut forged = keys.open(&certificate(&scene, &link).await).unwrap();
    let story = json!({"story": [1, 2, [3, {"bytes": 1, "outcome": "completed"}]]});
    scene.store.tamper(&link.id, None, &story).await;
    scene.get(&routes::certificate(&link.id), &scene.ops).await.refused(409, "receipts_broken");
    // Nor when the issuer signs it all the same.
    let stored = scene.store.receipts(&scene.store.link(&link.id).await).await;
    let sealed = stored.iter().map(|it| {
        let sealed = json!({"link": link.id, "receipt": it.text(), "hash": it.hash()});
        serde_json::from_value(sealed).unwrap()
    });
    forged.receipts = sealed.collect();
    forged.delivery.downloads[0].transfers[0].end.as_mut().unwrap().bytes = 1;
    let signed = CertificateKeys::parse(SECRET).unwrap().sign(&forged);
    let refusal = keys.open(&signed).unwrap_err();
    let CertificateRefusal::Content(CertificateFault::Story(wrong)) = refusal else {
        panic!("{refusal:?}")
    };
    assert_eq!(wrong.to_string(), "receipt 3 has an outcome that does not fit the bytes");
}

#[tokio::test]
async fn after_a_rotation_old_certificates_count_as_long_as_their_key_is_published() {
    let before = Scene::start_with(&[("CERTIFICATE_SECRET", FORMER)]).await;
    let link = before.plain_link().await;
    let old = certificate(&before, &link).await;
    let rotated = json!({"current": SECRET, "previous": [FORMER]}).to_string();
    let after = Scene::start_with(&[("CERTIFICATE_SECRET", &rotated)]).await;
    let new = certificate(&after, &after.plain_link().await).await;
    let keys = public_keys(&after).await;
    keys.open(&old).unwrap();
    keys.open(&new).unwrap();
    let forgotten = scene().await;
    let keys = public_keys(&forgotten).await;
    keys.open(&new).unwrap();
    assert!(matches!(keys.open(&old), Err(CertificateRefusal::UnknownKey(_))));
    let kept = public_keys(&before).await;
    kept.open(&old).unwrap();
}

/// The value with each text, number, truth value and null in it changed, one at a time, and its
/// place.
fn changes(value: &Value) -> Vec<(String, Value)> {
    match value {
        Value::Object(fields) => {
            let each = fields.iter().flat_map(|(name, field)| {
                changes(field).into_iter().map(move |(place, changed)| {
                    let mut fields = fields.clone();
                    fields.insert(name.clone(), changed);
                    (format!("/{name}{place}"), fields.into())
                })
            });
            each.collect()
        }
        Value::Array(items) => {
            let each = items.iter().enumerate().flat_map(|(index, item)| {
                changes(item).into_iter().map(move |(place, changed)| {
                    let mut items = items.clone();
                    items[index] = changed;
                    (format!("/{index}{place}"), items.into())
                })
            });
            let mut each: Vec<_> = each.collect();
            for index in 0..items.len() {
                let mut fewer = items.clone();
                fewer.remove(index);
                each.push((format!("/{index} left out"), fewer.into()));
            }
            each
        }
        Value::String(text) => {
            let mut other = text.clone();
            let last = other.pop();
            other.push(if last == Some('1') { '2' } else { '1' });
            vec![(String::new(), other.into())]
        }
        Value::Number(number) => vec![(String::new(), json!(number.as_i64().unwrap() + 1))],
        Value::Bool(value) => vec![(String::new(), json!(!value))],
        Value::Null => vec![(String::new(), json!("2026-01-01T00:00:00.000Z"))],
    }
}

#[tokio::test]
async fn a_certificate_that_was_changed_anywhere_is_refused() {
    let scene = scene().await;
    let link = eventful_link(&scene).await;
    let genuine = certificate(&scene, &link).await;
    let keys = public_keys(&scene).await;
    keys.open(&genuine).unwrap();
    let [header, _, signature] = genuine.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let owner = CertificateKeys::parse(SECRET).unwrap();
    let changed = changes(&claims(&genuine));
    assert!(changed.len() > 70, "{}", changed.len());
    for (place, claims) in &changed {
        let forged = format!("{header}.{}.{signature}", encode(claims));
        let refusal = keys.open(&forged).unwrap_err();
        assert_eq!(refusal, CertificateRefusal::Signature, "{place}");
        // Whoever has the key cannot make the receipts tell anything else either.
        let Ok(claims) = serde_json::from_value::<Certificate>(claims.clone()) else { continue };
        let signed = owner.sign(&claims);
        let of_the_issuer = ["/iss", "/iat", "/filename", "/uploaded_by"].contains(&place.as_str());
        match keys.open(&signed) {
            Ok(_) => assert!(of_the_issuer, "{place}"),
            Err(CertificateRefusal::Content(_)) => assert!(!of_the_issuer, "{place}"),
            other => panic!("{place}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_certificate_of_another_key_or_header_is_refused() {
    let scene = scene().await;
    let link = eventful_link(&scene).await;
    let genuine = certificate(&scene, &link).await;
    let keys = public_keys(&scene).await;
    let certificate = keys.open(&genuine).unwrap();
    let foreign = CertificateKeys::parse(FORMER).unwrap().sign(&certificate);
    assert!(matches!(keys.open(&foreign), Err(CertificateRefusal::UnknownKey(_))));

    let [header, payload, signature] = genuine.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let [foreign_header, _, foreign_signature] = foreign.split('.').collect::<Vec<_>>()[..] else {
        panic!()
    };
    let original: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let with = |name: &str, value: Value| {
        let mut header = original.clone();
        header[name] = value;
        format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(header.to_string()))
    };
    for (what, forged, refusal) in [
        ("no algorithm", with("alg", json!("none")), CertificateRefusal::Form),
        ("a symmetric algorithm", with("alg", json!("HS256")), CertificateRefusal::Form),
        ("the type of an access token", with("typ", json!("at+jwt")), CertificateRefusal::Form),
        ("a critical extension", with("crit", json!(["exp"])), CertificateRefusal::Form),
        ("a key of its own", with("jwk", json!({"kty": "OKP"})), CertificateRefusal::Form),
        ("no signature", format!("{header}.{payload}."), CertificateRefusal::Signature),
        (
            "a foreign signature",
            format!("{header}.{payload}.{foreign_signature}"),
            CertificateRefusal::Signature,
        ),
        ("an access token", scene.client.clone(), CertificateRefusal::Form),
        ("nothing", String::new(), CertificateRefusal::Form),
    ] {
        assert_eq!(keys.open(&forged).unwrap_err(), refusal, "{what}");
    }
    let foreign = PublicKeys::parse(&{
        let world = World::start_with(&[("CERTIFICATE_SECRET", FORMER)]).await;
        key_set(&world).await
    })
    .unwrap();
    let mixed = format!("{foreign_header}.{payload}.{signature}");
    assert_eq!(foreign.open(&mixed).unwrap_err(), CertificateRefusal::Signature);
    // A certificate is no access token.
    scene.get(routes::LIST_FILES, &genuine).await.refused(401, "invalid_token");

    let mut contradictory = certificate.clone();
    contradictory.delivery.size += 1;
    let signed = CertificateKeys::parse(SECRET).unwrap().sign(&contradictory);
    let fault = CertificateRefusal::Content(CertificateFault::Delivery);
    assert_eq!(keys.open(&signed).unwrap_err(), fault);
}
