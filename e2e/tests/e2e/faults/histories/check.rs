//! What a link promises, checked against what its clients have and what is stored.

use serde::Deserialize;
use serde_json::Value;
use share_e2e::samples::sha256;
use share_e2e::store::{LinkRecord, Store};

use super::stage::Client;

/// A history that is over.
pub(super) struct History<'a> {
    pub(super) max_downloads: usize,
    pub(super) clients: &'a [&'a Client],
    /// Whether the link was revoked.
    pub(super) revoked: bool,
    pub(super) link: &'a str,
    pub(super) content: &'a [u8],
    pub(super) store: &'a Store,
}

#[derive(Deserialize)]
struct Receipt {
    number: u32,
    #[serde(flatten)]
    event: Event,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[expect(dead_code, reason = "reading a receipt checks that all its fields are there")]
enum Event {
    Created {
        file_id: String,
        sha256: String,
        size: u64,
        user_id: String,
        username: String,
        expires_at: String,
        max_downloads: u32,
        bind: bool,
        note: Option<String>,
    },
    Redeemed(Request),
    Resumed(Request),
    Ended {
        begun: u32,
        download: u32,
        bytes: u64,
        outcome: Outcome,
    },
    Revoked {
        user_id: String,
    },
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "reading a receipt checks that all its fields are there")]
struct Request {
    download: u32,
    address: String,
    agent: String,
    first_byte: u64,
    last_byte: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Completed,
    Partial,
    BrokenOff,
    Redirected,
}

impl Receipt {
    /// The request with which bytes began to be sent, if this is the receipt of one.
    fn request(&self) -> Option<&Request> {
        match &self.event {
            Event::Redeemed(request) | Event::Resumed(request) => Some(request),
            _ => None,
        }
    }
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

impl History<'_> {
    /// What is wrong with the history, if anything is.
    pub(super) async fn check(&self) -> Result<(), String> {
        let receipts = self.receipts().await?;
        let redeemed: Vec<_> = receipts
            .iter()
            .filter_map(|receipt| match &receipt.event {
                Event::Redeemed(request) => Some(request.download as usize),
                _ => None,
            })
            .collect();
        let in_order: Vec<_> = (1..=redeemed.len()).collect();
        ensure(redeemed == in_order, || format!("downloads are counted {redeemed:?}"))?;
        ensure(redeemed.len() <= self.max_downloads, || format!("{} downloads", redeemed.len()))?;
        self.check_winners(redeemed.len())?;
        for client in self.clients {
            self.check_client(client, redeemed.len())?;
        }
        for client in self.winners() {
            self.check_bytes(client, &receipts).await?;
        }
        Ok(())
    }

    fn winners(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().copied().filter(|client| client.won)
    }

    /// Only a client that could not know its lease may have won in vain.
    fn check_winners(&self, downloads: usize) -> Result<(), String> {
        let won = self.winners().count();
        let in_vain: usize = self.clients.iter().map(|client| client.in_vain).sum();
        let unclaimed = downloads.checked_sub(won);
        ensure(unclaimed.is_some_and(|unclaimed| unclaimed <= in_vain), || {
            format!("{won} won, {downloads} downloads, {in_vain} in vain")
        })
    }

    /// A client has the whole file, or nothing and a reason.
    fn check_client(&self, client: &Client, downloads: usize) -> Result<(), String> {
        let Client { won, have, refusal, .. } = client;
        let whole = have == self.content;
        let excused = self.revoked && refusal == "link_revoked";
        ensure(!won || whole || excused, || {
            format!("a winner has {} bytes: {refusal}", have.len())
        })?;
        ensure(self.content.starts_with(have), || {
            "a client has other bytes than the file's".to_owned()
        })?;
        ensure(*won || have.is_empty(), || "a client that did not win has bytes".to_owned())?;
        let refused = refusal == "link_used" && downloads == self.max_downloads;
        ensure(*won || refused || excused, || format!("a client was refused: {refusal}"))
    }

    /// Every byte that a winner has is accounted for in the receipts.
    async fn check_bytes(&self, client: &Client, receipts: &[Receipt]) -> Result<(), String> {
        let lease = client.lease.as_ref().unwrap();
        let download = self.store.download_of_lease(self.link, lease).await;
        let download = download.ok_or("a winner's lease is not stored")?;
        let ended = |number: u32| {
            receipts.iter().find_map(|receipt| match receipt.event {
                Event::Ended { begun, bytes, .. } if begun == number => Some(bytes),
                _ => None,
            })
        };
        let accounted: u64 = receipts
            .iter()
            .filter_map(|receipt| {
                let request = receipt.request().filter(|it| it.download == download)?;
                // Without an end anything up to what was asked for may have been sent.
                let most = request.last_byte - request.first_byte + 1;
                Some(ended(receipt.number).unwrap_or(most))
            })
            .sum();
        let have = client.have.len() as u64;
        ensure(accounted >= have, || format!("{have} bytes came, {accounted} are accounted for"))
    }

    /// The link's receipts, after a look at their chain and at what they say of a revocation.
    async fn receipts(&self) -> Result<Vec<Receipt>, String> {
        // The end of a download that was cut is written in the background: read until nothing has
        // changed in between.
        let (link, stored) = loop {
            let link = self.record().await?;
            let stored = self.store.receipts(&link).await;
            if self.record().await? == link {
                break (link, stored);
            }
        };
        // The chain, without the code that made it.
        let (mut receipts, mut previous) = (Vec::new(), Value::Null);
        for stored in &stored {
            let receipt: Value = serde_json::from_str(stored.text()).unwrap();
            let number = receipts.len() + 1;
            let next = receipt["previous"] == previous && receipt["number"] == number;
            let fits = next && stored.hash() == sha256(stored.text().as_bytes());
            ensure(fits, || format!("receipt {number} does not fit"))?;
            previous = stored.hash().into();
            receipts.push(serde_json::from_value::<Receipt>(receipt).unwrap());
        }
        let (count, last) = link.chain();
        ensure(count == receipts.len() && previous == last, || {
            "the link says that its chain ends elsewhere".to_owned()
        })?;
        let last_start = receipts.iter().rposition(|receipt| receipt.request().is_some());
        let revocation =
            receipts.iter().rposition(|receipt| matches!(receipt.event, Event::Revoked { .. }));
        ensure(revocation.is_some() == self.revoked, || {
            format!("the revocation was answered otherwise than written: {}", self.revoked)
        })?;
        ensure(revocation.is_none() || revocation >= last_start, || {
            "a download began after the revocation".to_owned()
        })?;
        Ok(receipts)
    }

    async fn record(&self) -> Result<LinkRecord, String> {
        let record = self.store.find_link(self.link).await;
        record.ok_or_else(|| "the link's record is not stored".to_owned())
    }
}
