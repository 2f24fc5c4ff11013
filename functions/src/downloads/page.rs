//! The page about a link and its file. Its button POSTs.

use http::header;
use jiff::Timestamp;
use share_contract::settings::{Delivery, DownloadSettings};
use share_http::{Answer, ApiError, HtmlPage, LeaseHolder, Request, escape};
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
    // So that a click cannot redeem the link once more than the page has said.
    let action = match permitted.number {
        1 => String::new(),
        number => {
            let token = escape(request.query("token").unwrap_or_default());
            format!(" action=\"?token={token}&amp;lease={number}\"")
        }
    };
    let content = format!(
        "<dl><dt>Size</dt><dd>{} bytes</dd><dt>SHA-256</dt><dd>{}</dd>\
         <dt>Ends</dt><dd>{}</dd></dl>\n\
         <form method=\"post\"{action}><button>{button}</button></form>\n\
         <p><small>{note}</small></p>",
        file.size,
        file.sha256.hex(),
        ends.strftime("%-d %B %Y, %H:%M UTC"),
    );
    let mut answer = Answer::page(HtmlPage { title: file.filename.as_str().to_owned(), content });
    // A browser applies the page's policy to the redirect that follows its form's POST, too.
    if delivery_of(file, settings) == Delivery::Presigned {
        let policy = HtmlPage::policy_for_forms_to(&objects.origin().await?);
        answer = answer.with(header::CONTENT_SECURITY_POLICY, policy);
    }
    // So that the browser has it before the first byte, and can click again when no answer comes.
    let generated = permitted.holder.is_none().then(LeaseHolder::generate);
    if let Some(holder) = permitted.holder.as_ref().or(generated.as_ref()) {
        holder.set_cookie(answer.headers_mut());
    }
    Ok(answer)
}

/// How often the link can still be redeemed, in words.
fn promise(link: &Link) -> String {
    match link.max_downloads.get().saturating_sub(link.downloads) {
        1 => "The link works once.".to_owned(),
        left => format!("The link works {left} more times."),
    }
}
