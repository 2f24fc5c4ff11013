//! The rules, each broken in one place, and a promise that is then not kept.

use super::promises::{
    COUNTED, IN_ORDER, NO_BYTE_WITHOUT_RECEIPT, NO_MORE_THAN_PERMITTED, NOT_AFTER_REVOCATION,
    NOT_AFTER_THE_END, ONE_RECEIPT, ONE_START, OWN_LEASE, REASON, RESUMES, TOKEN, TOLD_ONCE,
    VERIFIED, WHOLE_IS_RECORDED, WHOLE_OR_LEASE,
};
use super::world::{RULES, Rules};
use crate::link_protocol::{LinkAndLease, TokenStep, finish, revoke, start};
use crate::{LeaseTerms, Link};

pub(super) struct Break {
    pub(super) what: &'static str,
    pub(super) rules: Rules,
    /// The promise that is not kept.
    pub(super) broken: &'static str,
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn all() -> Vec<Break> {
    vec![
        Break {
            what: "a download is counted with its end, not with its start",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    step.link.downloads = current.link.downloads;
                    step.token = TokenStep::Leave;
                    Ok((step, started))
                },
                finish: |link, lease, started, sent, file, terms, now| {
                    let (mut step, end) = finish(link, lease, started, sent, file, terms, now);
                    step.link.downloads += 1;
                    (step, end)
                },
                ..RULES
            },
            broken: NO_MORE_THAN_PERMITTED,
        },
        Break {
            what: "a redemption is not counted",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    step.link.downloads = current.link.downloads;
                    Ok((step, started))
                },
                ..RULES
            },
            broken: COUNTED,
        },
        Break {
            what: "the last redemption leaves the token",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    step.token = TokenStep::Leave;
                    Ok((step, started))
                },
                ..RULES
            },
            broken: TOKEN,
        },
        Break {
            what: "the expiry is neither checked nor a condition",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (link, lease) = (current.link.clone(), current.lease.clone());
                    let expires_at = link.expires_at;
                    let link = Link { expires_at: jiff::Timestamp::MAX, ..link };
                    let (mut step, started) =
                        start(&LinkAndLease { link, lease }, request, file, terms, now)?;
                    step.link.expires_at = expires_at;
                    step.token = TokenStep::Leave;
                    Ok((step, started))
                },
                ..RULES
            },
            broken: NOT_AFTER_THE_END,
        },
        Break {
            what: "the revocation is not checked",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (link, lease) = (current.link.clone(), current.lease.clone());
                    let revoked_at = link.revoked_at;
                    let link = Link { revoked_at: None, ..link };
                    let (mut step, started) =
                        start(&LinkAndLease { link, lease }, request, file, terms, now)?;
                    step.link.revoked_at = revoked_at;
                    Ok((step, started))
                },
                ..RULES
            },
            broken: NOT_AFTER_REVOCATION,
        },
        Break {
            what: "the revocation leaves the token",
            rules: Rules {
                revoke: |link, user, now| {
                    let mut step = revoke(link, user, now)?;
                    step.token = TokenStep::Leave;
                    Some(step)
                },
                ..RULES
            },
            broken: TOKEN,
        },
        Break {
            what: "the start leaves no lease",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    step.lease = None;
                    Ok((step, started))
                },
                ..RULES
            },
            broken: WHOLE_OR_LEASE,
        },
        Break {
            what: "the lease that a request brings is not looked at",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let current = LinkAndLease { link: current.link.clone(), lease: None };
                    start(&current, request, file, terms, now)
                },
                ..RULES
            },
            broken: REASON,
        },
        Break {
            what: "a resume is not counted",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    if let (Some(before), Some(after)) = (&current.lease, &mut step.lease) {
                        after.resumes = before.resumes;
                    }
                    Ok((step, started))
                },
                ..RULES
            },
            broken: RESUMES,
        },
        Break {
            what: "a resume prolongs the lease",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    if let Some(lease) = &mut step.lease {
                        lease.ends_at = now.as_second() + terms.lifetime;
                    }
                    Ok((step, started))
                },
                ..RULES
            },
            broken: NOT_AFTER_THE_END,
        },
        Break {
            what: "there is no grace",
            rules: Rules {
                finish: |link, lease, started, sent, file, terms, now| {
                    let terms = LeaseTerms { grace: 0, ..terms };
                    finish(link, lease, started, sent, file, terms, now)
                },
                ..RULES
            },
            broken: WHOLE_OR_LEASE,
        },
        Break {
            what: "the lease ends with every transfer",
            rules: Rules {
                finish: |link, lease, started, sent, file, terms, now| {
                    let (mut step, end) = finish(link, lease, started, sent, file, terms, now);
                    if let Some(lease) = &mut step.lease {
                        lease.ends_at = now.as_second();
                    }
                    (step, end)
                },
                ..RULES
            },
            broken: WHOLE_OR_LEASE,
        },
        Break {
            what: "the uploader is told of each transfer that completes",
            rules: Rules {
                finish: |link, lease, started, sent, file, terms, now| {
                    let untold = Link { notified: false, ..link.clone() };
                    finish(&untold, lease, started, sent, file, terms, now)
                },
                ..RULES
            },
            broken: TOLD_ONCE,
        },
        Break {
            what: "transactions have no conditions, so more redeem",
            rules: Rules { conditions: false, ..RULES },
            broken: NO_MORE_THAN_PERMITTED,
        },
        Break {
            what: "transactions have no conditions, so receipts are overwritten",
            rules: Rules { conditions: false, ..RULES },
            broken: ONE_RECEIPT,
        },
        Break {
            what: "a transaction that is repeated is another one",
            rules: Rules { one_request_token: false, ..RULES },
            broken: ONE_START,
        },
        Break {
            what: "a resume that is not counted is verified",
            rules: Rules {
                start: |current, request, file, terms, now| {
                    let (mut step, started) = start(current, request, file, terms, now)?;
                    if let (Some(before), Some(after)) = (&current.lease, &mut step.lease) {
                        after.resumes = before.resumes;
                    }
                    Ok((step, started))
                },
                ..RULES
            },
            broken: VERIFIED,
        },
        Break {
            what: "a lease that a client brings is not adopted",
            rules: Rules { leases_adopted: false, ..RULES },
            broken: OWN_LEASE,
        },
        Break {
            what: "the lease is read before the link",
            rules: Rules { link_read_first: false, ..RULES },
            broken: REASON,
        },
        Break {
            what: "the time is that of the request, not of the attempt",
            rules: Rules { time_read_anew: false, ..RULES },
            broken: IN_ORDER,
        },
        Break {
            what: "bytes go out before the transaction",
            rules: Rules { bytes_after_start: false, ..RULES },
            broken: NO_BYTE_WITHOUT_RECEIPT,
        },
        Break {
            what: "the last byte goes out before the end is recorded",
            rules: Rules { last_byte_after_end: false, ..RULES },
            broken: WHOLE_IS_RECORDED,
        },
    ]
}
