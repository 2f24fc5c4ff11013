//! A line of the audit, as it is sent.

use share_contract::AuditEntry;
use share_store::StoredEvent;

/// The line that says what `event` does.
pub(crate) fn entry(event: StoredEvent) -> AuditEntry {
    let mut parts = event.at_id.splitn(3, '#').map(str::to_owned);
    AuditEntry {
        at: parts.next().unwrap_or_default(),
        subject: event.subject.replacen('#', ":", 1),
        action: event.action,
        actor: event.actor,
        request_id: parts.next().unwrap_or_default(),
        detail: event.detail,
    }
}
