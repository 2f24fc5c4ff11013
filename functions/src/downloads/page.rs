//! What a link leads to, for people and for the app, before it is redeemed. The page's button POSTs.

use http::header;
use jiff::Timestamp;
use share_contract::DownloadDetails;
use share_contract::settings::{Delivery, DownloadSettings};
use share_http::{
    Answer, ApiError, HtmlPage, LeaseHolder, Request, TokenField, TokenForm, TokenPage,
};
use share_model::Link;
use share_store::Objects;

use super::checks::Permitted;
use super::delivery::delivery_of;

/// What a browser shows for the link. The form goes back to the page's own address.
pub(super) async fn page<T>(
    permitted: &Permitted,
    request: &Request,
    settings: &DownloadSettings,
    objects: &Objects,
) -> Result<Answer<T>, ApiError> {
    let (file, link) = (&permitted.file, &permitted.current.link);
    let (ends, button, note) = match &permitted.current.lease {
        Some(lease) => (
            Timestamp::from_second(lease.ends_at).unwrap_or_default(),
            "Download again",
            "Your download has started. Until then you can start it again, in this browser only."
                .to_owned(),
        ),
        None => (link.expires_at, "Download", promise(link)),
    };
    let token = request.query("token").unwrap_or_default();
    // So that a click cannot redeem the link once more than the page has said.
    let field = match permitted.number {
        1 => TokenField::Nothing,
        number => TokenField::Query(format!("token={token}&lease={number}")),
    };
    let mut answer = Answer::page(TokenPage {
        title: file.filename.as_str(),
        facts: vec![
            ("Size", format!("{} bytes", file.size)),
            ("SHA-256", file.sha256.hex()),
            ("Ends", ends.strftime("%-d %B %Y, %H:%M UTC").to_string()),
        ],
        forms: &[TokenForm { field, button }],
        note: &note,
        way: Some((
            way_to_app(request),
            "Download it in the app, which goes on when the connection breaks, and checks what \
             arrives",
        )),
        wide: true,
        ..Default::default()
    });
    // A browser applies the page's policy to the redirect that follows its form's POST, too.
    if delivery_of(file, settings) == Delivery::Presigned {
        let policy = HtmlPage::policy_for_forms_to(&objects.origin().await?);
        answer = answer.with(header::CONTENT_SECURITY_POLICY, policy);
    }
    set_cookie(&mut answer, permitted);
    Ok(answer)
}

/// What the app shows for the link.
pub(super) fn details(
    permitted: &Permitted,
    settings: &DownloadSettings,
) -> Answer<DownloadDetails> {
    let Permitted { current, number, file, .. } = permitted;
    let (link, lease) = (&current.link, current.lease.as_ref());
    let mut answer = Answer::ok(DownloadDetails {
        filename: file.filename.clone(),
        size: file.size,
        sha256: file.sha256,
        expires_at: link.expires_at,
        max_downloads: link.max_downloads,
        downloads: link.downloads,
        bind: link.bind,
        lease: *number,
        lease_ends_at: lease.and_then(|lease| Timestamp::from_second(lease.ends_at).ok()),
        presigned: delivery_of(file, settings) == Delivery::Presigned,
    });
    set_cookie(&mut answer, permitted);
    answer
}

/// In place of the page of a bound link, which cannot send an access token.
pub(super) fn page_of_bound(request: &Request) -> HtmlPage {
    let page = TokenPage {
        title: "Sign in to download",
        text: "Only the person who made this link can use it.",
        way: Some((way_to_app(request), "Sign in")),
        ..Default::default()
    };
    page.into()
}

/// The app's view of a link, whose token stands behind the hash, and so is not sent or logged. The
/// address is relative, because a stage has a path of its own that we are not told.
fn way_to_app(request: &Request) -> String {
    let token = request.query("token").unwrap_or_default();
    let folders = request.path().matches('/').count().saturating_sub(1);
    format!("./{}#/download?token={token}", "../".repeat(folders))
}

/// So that the browser has it before the first byte, and can ask again when no answer comes.
fn set_cookie<T>(answer: &mut Answer<T>, permitted: &Permitted) {
    let generated = permitted.holder.is_none().then(LeaseHolder::generate);
    if let Some(holder) = permitted.holder.as_ref().or(generated.as_ref()) {
        holder.set_cookie(answer.headers_mut());
    }
}

/// How often the link can still be redeemed, in words.
fn promise(link: &Link) -> String {
    match link.max_downloads.get().saturating_sub(link.downloads) {
        1 => "The link works once.".to_owned(),
        left => format!("The link works {left} more times."),
    }
}
