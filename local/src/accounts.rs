//! The three accounts that a fresh local store starts with.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, bail};
use jiff::Timestamp;
use share_auth::{Password, random_bytes};
use share_model::{EmailAddress, Role, User, UserId, Username};
use share_store::{OneTimeTokens, Platform, Users};

/// Their roles. Name `ops` goes with address `ops@example.com` and password `local-ops-password`.
const ROLES: [Role; 3] = [Role::Admin, Role::Ops, Role::Client];

/// Creates those of the accounts that the store does not have, and the file `mark` in its folder.
///
/// Their passwords are in the README, so neither they nor a store that holds them may be reached
/// from another machine.
pub(crate) async fn create(
    mark: &Path,
    listen: SocketAddr,
    platform: &Platform,
    now: Timestamp,
) -> anyhow::Result<()> {
    if !listen.ip().is_loopback() {
        if mark.exists() {
            bail!(
                "{} has accounts with well-known passwords and may only be served on a loopback \
                 address, not on {listen}; choose another --data-dir",
                mark.parent().unwrap_or(mark).display()
            );
        }
        return Ok(());
    }
    // The mark comes first: there must be no account without it.
    fs::write(mark, "").with_context(|| format!("cannot write {}", mark.display()))?;
    let (users, tokens) = (Users::connect(platform)?, OneTimeTokens::connect(platform)?);
    for role in ROLES {
        users.create(&account(role, now).await?, &tokens).await?;
    }
    Ok(())
}

async fn account(role: Role, now: Timestamp) -> anyhow::Result<User> {
    let name = role.as_str();
    let username = Username::parse(name)?;
    let email = EmailAddress::parse(&format!("{name}@example.com"))?;
    let password = Password::choose(&format!("local-{name}-password"), &username, &email)?;
    let hash = password.hash().await;
    let user = User::new(UserId::new(now, random_bytes()), username, email, role, now);
    Ok(User { verified: true, ..user.with_password(hash) })
}
