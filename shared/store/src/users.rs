//! The Users table: accounts, and the reservations that make names and addresses unique.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_contract::settings::USERS_TABLE;
use share_model::{EmailAddress, User, UserId, Username};

use crate::table::{Condition, Key, Table, absent, always, number, text};
use crate::transaction::{CommitOutcome, Write};
use crate::{Platform, StartError, StoreError};

/// The Users table.
///
/// Three kinds of record share the key `pk`: `user#<id>` is the account; `name#<lower case>` and
/// `mail#<lower case>` reserve a name or address for the account that their `user_id` names. Until
/// the account has proven its address, its reservations have `unproven_until`, and lapse then:
/// nobody can keep a name or an address without proof.
#[derive(Clone)]
pub struct Users {
    table: Table,
}

/// A name or an address that belongs to an account.
#[derive(Serialize, Deserialize)]
struct Reservation {
    user_id: UserId,
    /// The second in which it lapses, unless the address is proven before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unproven_until: Option<i64>,
}

/// What became of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// The account is there.
    Done,
    /// The address belongs to somebody.
    EmailKnown,
    /// The name belongs to somebody. Nothing was written.
    UsernameTaken,
}

impl Users {
    /// # Errors
    /// When `USERS_TABLE` is not set.
    pub fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self { table: Table::connect(platform, &USERS_TABLE)? })
    }

    /// Asks for nothing, so that the connection is open before the first request needs it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn open_connection(&self) -> Result<(), StoreError> {
        self.table.get::<User>(&nobody()).await.map(|_| ())
    }

    /// The account with this identity, as it is now.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_id(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.table.get(&user_key(id)).await
    }

    /// The account that goes by this name.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_username(&self, name: &Username) -> Result<Option<User>, StoreError> {
        self.by_reservation(&name_key(name)).await
    }

    /// The account for which this address is reserved.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.by_reservation(&mail_key(email)).await
    }

    async fn by_reservation(&self, key: &Key) -> Result<Option<User>, StoreError> {
        let reservation = self.table.get::<Reservation>(key).await?;
        // Also without a reservation there is a second look-up, so that both cases take the same
        // time.
        self.table.get(&reservation.map_or_else(nobody, |it| user_key(it.user_id))).await
    }

    /// Puts a new account, its reservations and `writes` in one transaction, or nothing. The
    /// reservations lapse at `unproven_until`, in seconds since 1970, unless the address is proven.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn create(
        &self,
        user: &User,
        unproven_until: i64,
        writes: Vec<Write>,
    ) -> Result<Registration, StoreError> {
        let mut all = self.account(user, unproven_until);
        all.push(self.reserve(&mail_key(&user.email), user, unproven_until));
        all.extend(writes);
        match self.table.commit("create a user", all).await? {
            CommitOutcome::Committed => Ok(Registration::Done),
            CommitOutcome::ConditionFailed(places) if places.contains(&NAME_RESERVATION) => {
                Ok(Registration::UsernameTaken)
            }
            CommitOutcome::ConditionFailed(_) => Ok(Registration::EmailKnown),
        }
    }

    /// [`Users::create`] for a stranger, who must not learn whether the address is known.
    ///
    /// When it is, the account and the reservation of its name are put all the same, but the
    /// account can never be verified. Otherwise the stranger could try the same name once more, or
    /// log in with it, and so learn that the address is known.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn register(
        &self,
        user: &User,
        unproven_until: i64,
        writes: Vec<Write>,
    ) -> Result<Registration, StoreError> {
        // Asked first, so that both cases take one look-up and one transaction. The condition
        // decides when two sign up at the same moment.
        let reservation = self.table.get::<Reservation>(&mail_key(&user.email)).await?;
        if reservation.is_none_or(|reservation| reservation.lapsed(user.created_at)) {
            let registration = self.create(user, unproven_until, writes).await?;
            if registration != Registration::EmailKnown {
                return Ok(registration);
            }
        }
        let writes = self.account(user, unproven_until);
        match self.table.commit("create a user", writes).await? {
            CommitOutcome::Committed => Ok(Registration::EmailKnown),
            CommitOutcome::ConditionFailed(_) => Ok(Registration::UsernameTaken),
        }
    }

    /// The account and its name's reservation, in this order.
    fn account(&self, user: &User, unproven_until: i64) -> Vec<Write> {
        let account = self.table.put(&user_key(user.id), user, &absent("pk"));
        vec![account, self.reserve(&name_key(&user.username), user, unproven_until)]
    }

    /// A reservation, on condition that nobody has it, or that it has lapsed.
    fn reserve(&self, key: &Key, user: &User, unproven_until: i64) -> Write {
        let unproven_until = (!user.verified).then_some(unproven_until);
        let reservation = Reservation { user_id: user.id, unproven_until };
        let free = Condition::new("attribute_not_exists(pk) OR unproven_until <= :now")
            .with(":now", number(user.created_at.as_second()));
        self.table.put(key, &reservation, &free)
    }

    /// Undoes a registration whose mail could not be sent, so that it can be tried again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn withdraw(
        &self,
        user: &User,
        registration: Registration,
        token: Write,
    ) -> Result<(), StoreError> {
        let mut keys = vec![user_key(user.id), name_key(&user.username)];
        // The reservation of a known address is somebody else's.
        keys.extend((registration == Registration::Done).then(|| mail_key(&user.email)));
        let mut writes = vec![token];
        writes.extend(keys.iter().map(|key| self.table.delete(key, &always())));
        self.table.commit("withdraw a registration", writes).await.map(|_| ())
    }

    /// The writes that mark the account's address as proven, and its reservations as lasting.
    #[must_use]
    pub fn prove_address(&self, user: &User) -> Vec<Write> {
        self.prove(user, "SET verified = :yes", Condition::new("attribute_exists(pk)"))
    }

    /// The writes that set the account's password, and mark its address as proven: the invitation
    /// came there.
    #[must_use]
    pub fn accept_invitation(&self, user: &User, hash: String) -> Vec<Write> {
        let exists = Condition::new("attribute_exists(pk)").with(":hash", text(hash));
        self.prove(user, "SET verified = :yes, password_hash = :hash", exists)
    }

    /// The writes that delete an account whose address was never proven, and its reservations.
    #[must_use]
    pub fn delete_unproven(&self, user: &User) -> Vec<Write> {
        let unproven = Condition::new("verified = :no").with(":no", AttributeValue::Bool(false));
        let owned = Condition::new("user_id = :owner").with(":owner", text(user.id.to_string()));
        vec![
            self.table.delete(&user_key(user.id), &unproven),
            self.table.delete(&name_key(&user.username), &owned),
            self.table.delete(&mail_key(&user.email), &owned),
        ]
    }

    fn prove(&self, user: &User, change: &str, exists: Condition) -> Vec<Write> {
        let account = exists.with(":yes", AttributeValue::Bool(true));
        // Fails when a reservation has lapsed and somebody else has it now.
        let owned = Condition::new("user_id = :owner").with(":owner", text(user.id.to_string()));
        let lasting = |key: Key| self.table.update(&key, "REMOVE unproven_until", &owned);
        vec![
            self.table.update(&user_key(user.id), change, &account),
            lasting(name_key(&user.username)),
            lasting(mail_key(&user.email)),
        ]
    }
}

impl Reservation {
    fn lapsed(&self, now: Timestamp) -> bool {
        self.unproven_until.is_some_and(|until| until <= now.as_second())
    }
}

/// Where [`Users::account`] puts the name's reservation.
const NAME_RESERVATION: usize = 1;

fn user_key(id: UserId) -> Key {
    Key::new("pk", format!("user#{id}"))
}

/// The key of no account.
fn nobody() -> Key {
    Key::new("pk", "user#nobody")
}

fn name_key(name: &Username) -> Key {
    Key::new("pk", format!("name#{}", name.canonical()))
}

fn mail_key(email: &EmailAddress) -> Key {
    Key::new("pk", format!("mail#{}", email.as_str()))
}
