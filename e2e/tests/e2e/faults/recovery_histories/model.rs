//! What [docs/api.md](../../../../../docs/api.md) says of the password, the address and the mailed links
//! of an account, told once more, without the code of the service.

const HOUR: i64 = 60 * 60 * 1000;
/// For how long mailed links are good, in milliseconds.
const RESET: i64 = HOUR;
const CHANGE: i64 = 24 * HOUR;
const UNDO: i64 = 7 * 24 * HOUR;
/// For how long an access token lives, in milliseconds.
const ACCESS: i64 = 15 * 60 * 1000;

/// What is asked of the service.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    LogIn { password: String },
    Reset { token: String, new: String },
    ChangePassword { current: String, new: String },
    RequestEmail { email: String, current: String },
    ConfirmEmail { token: String, current: String },
    Undo { token: String },
}

/// A mailed link: its token, and when it was made. The token is learned from the mail, afterwards.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Link {
    token: String,
    at: i64,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) address: String,
    /// None until the owner sets one again.
    pub(super) password: Option<String>,
    /// When the session began in which passwords and addresses are changed, while it goes on.
    session: Option<i64>,
    reset: Option<Link>,
    /// With the address that the account gets.
    change: Option<(Link, String)>,
    /// With the address that the account gets back.
    undo: Option<(Link, String)>,
    /// When the address was changed, unless that was undone.
    changed: Option<i64>,
}

fn is_good(link: Option<&Link>, token: &str, life: i64, now: i64) -> bool {
    link.is_some_and(|link| link.token == token && now - link.at < life)
}

impl Account {
    pub(super) fn new(address: String, password: String) -> Self {
        let (password, session) = (Some(password), None);
        Self { address, password, session, reset: None, change: None, undo: None, changed: None }
    }

    /// A link that sets a password was mailed.
    pub(super) fn reset_mailed(&mut self, token: &str, now: i64) {
        self.reset = Some(Link { token: token.to_owned(), at: now });
    }

    /// A link that gives the account this address was mailed.
    pub(super) fn change_mailed(&mut self, token: &str, email: &str, now: i64) {
        self.change = Some((Link { token: token.to_owned(), at: now }, email.to_owned()));
    }

    /// A link that gives the account this address back was mailed.
    pub(super) fn undo_mailed(&mut self, token: &str, email: &str, now: i64) {
        self.undo = Some((Link { token: token.to_owned(), at: now }, email.to_owned()));
    }

    /// Whether this can be asked for in the session, with this password.
    fn allows(&self, current: &str, now: i64) -> bool {
        self.session.is_some_and(|begun| now - begun < ACCESS)
            && self.password.as_deref() == Some(current)
    }

    fn may_change_address(&self, now: i64) -> bool {
        self.changed.is_none_or(|at| now - at >= UNDO)
    }

    /// Does what is asked, if it can be done; says whether.
    fn does(&mut self, ask: &Ask, now: i64) -> bool {
        match ask {
            Ask::LogIn { password } => {
                let right = self.password.as_ref() == Some(password);
                if right {
                    self.session = Some(now);
                }
                right
            }
            Ask::Reset { token, new } => {
                let good = is_good(self.reset.as_ref(), token, RESET, now);
                if good {
                    self.password = Some(new.clone());
                    (self.session, self.reset, self.change) = (None, None, None);
                }
                good
            }
            Ask::ChangePassword { current, new } => {
                let allowed = self.allows(current, now);
                if allowed {
                    self.password = Some(new.clone());
                    (self.reset, self.change) = (None, None);
                }
                allowed
            }
            Ask::RequestEmail { current, .. } => {
                self.allows(current, now) && self.may_change_address(now)
            }
            Ask::ConfirmEmail { token, current } => {
                if self.password.as_ref() != Some(current) {
                    return false;
                }
                let change = self.change.clone().filter(|_| self.may_change_address(now));
                let change = change.filter(|(link, _)| is_good(Some(link), token, CHANGE, now));
                let Some((_, email)) = change else { return false };
                (self.address, self.changed) = (email, Some(now));
                (self.reset, self.change) = (None, None);
                true
            }
            Ask::Undo { token } => {
                let undo = self.undo.clone();
                let undo = undo.filter(|(link, _)| is_good(Some(link), token, UNDO, now));
                let Some((_, email)) = undo else { return false };
                self.address = email;
                (self.password, self.session) = (None, None);
                (self.change, self.undo, self.changed) = (None, None, None);
                true
            }
        }
    }
}

/// What accounts can have become of those in `before` when of what was asked at the same time this was
/// done, and this not.
pub(super) fn explain(before: &[Account], asked: &[(Ask, bool)], now: i64) -> Vec<Account> {
    let forwards: Vec<_> = asked.iter().collect();
    let backwards = asked.iter().rev().collect();
    let mut after = Vec::new();
    for order in [forwards, backwards] {
        for account in before {
            let mut account = account.clone();
            if order.iter().all(|(ask, done)| account.does(ask, now) == *done)
                && !after.contains(&account)
            {
                after.push(account);
            }
        }
    }
    after
}
