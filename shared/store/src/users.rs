//! The Users table: accounts, and the reservations that make names and addresses unique.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use share_auth::{OpaqueSecret, SecretHash};
use share_contract::settings::USERS_TABLE;
use share_model::{EmailAddress, TokenRefusal, User, UserId, Username, WaitingFor};

use crate::one_time_tokens::{OneTimeTokens, RefusedToken, TokenRecord};
use crate::table::{Condition, Key, Table, absent, always, number, text};
use crate::transaction::{Backoff, CommitOutcome, Write};
use crate::user_changes::unchanged;
use crate::user_list::ListKeys;
use crate::{Platform, StartError, StoreError};

/// The Users table.
///
/// Five kinds of record share the key `pk`: `user#<id>` is the account; `name#<lower case>` and
/// `mail#<lower case>` reserve a name or address for the account that their `user_id` names;
/// `waiting#<lower case>` names the last account with which somebody signed up with that address, and
/// reserves nothing; and `group#<name>` is a group.
///
/// An address belongs to the account that proves it, from the moment of the proof. Whoever signs up
/// holds only the name until then, and for no longer than the mailed token can be used. An
/// invitation holds its address as well, but only against other invitations. All that waits for a
/// proof has `forget_at`, the second in which the token expires, and is deleted some time after it.
///
/// What strangers and their proofs change is written with a `line` of the audit.
#[derive(Clone)]
pub struct Users {
    pub(crate) table: Table,
}

/// A name or an address that belongs to an account.
#[derive(Clone, Serialize, Deserialize)]
struct Reservation {
    user_id: UserId,
    /// The second in which it lapses, unless the address is proven before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unproven_until: Option<i64>,
    /// Of a name: the sign-up that waits for its proof. Such a name can be taken over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_up: Option<SignUp>,
    /// Of an address: the token of the invitation that waits for its owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<SecretHash>,
}

/// What is known of a sign-up that waits for its proof.
#[derive(Clone, Serialize, Deserialize)]
struct SignUp {
    email: EmailAddress,
    token: SecretHash,
}

/// The last sign-up with an address.
#[derive(Serialize, Deserialize)]
struct Waiting {
    user_id: UserId,
    /// The second in which it lapses.
    #[serde(default, skip_serializing)]
    forget_at: Option<i64>,
}

/// An account, as the table holds it.
#[derive(Serialize)]
struct Account<'a> {
    #[serde(flatten)]
    user: &'a User,
    #[serde(flatten)]
    keys: ListKeys,
}

/// Who asks for a name.
enum Claim<'a> {
    /// Somebody who signs up with this address, and may take a name over from an earlier sign-up
    /// with it.
    SignUp(&'a EmailAddress),
    /// Somebody whom an operator knows, and before whom every sign-up yields.
    Known,
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

/// Why an address was not proven. Then nothing was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProofRefusal {
    /// The token cannot be spent.
    Token(RefusedToken),
    /// Another account has proven the address.
    EmailTaken,
}

impl From<RefusedToken> for ProofRefusal {
    fn from(refused: RefusedToken) -> Self {
        Self::Token(refused)
    }
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

    /// The account for which this address is reserved: it has proven it, or is invited there.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn by_email(&self, email: &EmailAddress) -> Result<Option<User>, StoreError> {
        self.by_reservation(&mail_key(email)).await
    }

    /// The last account with which somebody signed up with this address, if it waits for its proof
    /// at `now`.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn waiting(
        &self,
        email: &EmailAddress,
        now: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        let waiting = self.table.get::<Waiting>(&waiting_key(email)).await?;
        let waiting = waiting.filter(|it| it.forget_at.is_none_or(|end| end > now.as_second()));
        let key = waiting.map_or_else(nobody, |it| user_key(it.user_id));
        let user = self.table.get::<User>(&key).await?;
        Ok(user.filter(|user| !user.verified && user.email == *email))
    }

    async fn by_reservation(&self, key: &Key) -> Result<Option<User>, StoreError> {
        let reservation = self.table.get::<Reservation>(key).await?;
        // Also without a reservation there is a second look-up, so that both cases take the same
        // time.
        self.table.get(&reservation.map_or_else(nobody, |it| user_key(it.user_id))).await
    }

    /// Puts an account that nobody has to prove, with its name and address.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn create(
        &self,
        user: &User,
        tokens: &OneTimeTokens,
    ) -> Result<Registration, StoreError> {
        let lasting = Reservation::lasting(user.id);
        let address = self.reserve(&mail_key(&user.email), &lasting, &free(user.created_at));
        self.register(user, &lasting, &Claim::Known, tokens, &[address]).await
    }

    /// Puts the account of somebody who is invited with `token`, with its name and address.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn invite(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        line: Write,
    ) -> Result<Registration, StoreError> {
        let unproven_until = Some(token.expires_at);
        let user = &User { waiting_for: Some(WaitingFor::Invitation), ..user.clone() };
        let held = Reservation { unproven_until, ..Reservation::lasting(user.id) };
        let address = Reservation { invitation: Some(token.hash.clone()), ..held.clone() };
        let address = self.reserve(&mail_key(&user.email), &address, &free(user.created_at));
        let more = [vec![address, line], tokens.issue(token)].concat();
        self.register(user, &held, &Claim::Known, tokens, &more).await
    }

    /// Puts the account of a stranger, who is to prove the address with `token`, and must not learn
    /// whether it is known.
    ///
    /// When it is, the account and the reservation of its name are put all the same, but no token:
    /// the account can never be verified. Otherwise the stranger could try the same name once more,
    /// or log in with it, and so learn that the address is known.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn sign_up(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        line: Write,
    ) -> Result<Registration, StoreError> {
        let owner = self.table.get::<Reservation>(&mail_key(&user.email)).await?;
        let known = owner.is_some_and(|owner| owner.unproven_until.is_none());
        let sign_up = SignUp { email: user.email.clone(), token: token.hash.clone() };
        let held = Reservation {
            unproven_until: Some(token.expires_at),
            sign_up: Some(sign_up),
            ..Reservation::lasting(user.id)
        };
        let mut more = vec![line, self.put_waiting(user.id, &user.email, token.expires_at)];
        if !known {
            more.extend(tokens.issue(token));
        }
        let claim = Claim::SignUp(&user.email);
        match self.register(user, &held, &claim, tokens, &more).await? {
            Registration::Done if known => Ok(Registration::EmailKnown),
            registration => Ok(registration),
        }
    }

    /// Puts `token`, with which the sign-up `user` can be proven from now on, and not with the one
    /// before. The sign-up lasts as long as the token, also when the token is nobody's because the
    /// address is known: how long a name is taken tells nothing.
    ///
    /// Without a sign-up, when nobody has signed up with `email`, as many writes are made, which
    /// change nothing of any account. Both take the same time.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn renew_sign_up(
        &self,
        user: Option<&User>,
        email: &EmailAddress,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
    ) -> Result<(), StoreError> {
        let name = user.map_or_else(|| Key::new("pk", "name#"), |user| name_key(&user.username));
        let held = self.table.get::<Reservation>(&name).await?;
        let sign_up = user.zip(held.and_then(|held| held.sign_up));
        let mut writes = tokens.issue(token);
        let waiting = user.map_or(token.user_id, |user| user.id);
        writes.push(self.put_waiting(waiting, email, token.expires_at));
        if let Some((user, older)) = sign_up {
            let until = token.expires_at;
            let sign_up = SignUp { email: email.clone(), token: token.hash.clone() };
            let held = Reservation {
                unproven_until: Some(until),
                sign_up: Some(sign_up),
                ..Reservation::lasting(user.id)
            };
            let waits = owned_by(user.id, "user_id = :owner AND attribute_exists(sign_up)");
            let unproven = Condition::new("verified = :no")
                .with(":no", AttributeValue::Bool(false))
                .with(":until", number(until));
            let user = user_key(user.id);
            writes.push(self.reserve(&name, &held, &waits));
            writes.push(self.table.update(&user, "SET forget_at = :until", &unproven));
            writes.push(tokens.remove(&older.token));
        } else {
            writes.push(self.table.check(&nobody(), &absent("pk")));
            writes.push(self.table.check(&Key::new("pk", "name#"), &absent("pk")));
            writes.push(tokens.remove(&OpaqueSecret::generate().hash()));
        }
        // When a condition fails, the address was proven meanwhile, or the sign-up is gone.
        self.table.commit("renew a sign-up", writes).await.map(|_| ())
    }

    fn put_waiting(&self, user_id: UserId, email: &EmailAddress, until: i64) -> Write {
        let waiting = Waiting { user_id, forget_at: None };
        self.table.put_until(&waiting_key(email), &waiting, until, &always())
    }

    /// Puts the account of a stranger who proves nothing, with its name. The address stays free for
    /// whoever proves it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn sign_up_at_once(
        &self,
        user: &User,
        tokens: &OneTimeTokens,
        line: Write,
    ) -> Result<Registration, StoreError> {
        let lasting = Reservation::lasting(user.id);
        self.register(user, &lasting, &Claim::SignUp(&user.email), tokens, &[line]).await
    }

    /// Puts an account, the reservation of its name, and `more`, in one transaction. A sign-up that
    /// yields the name is deleted with its token.
    async fn register(
        &self,
        user: &User,
        held: &Reservation,
        claim: &Claim<'_>,
        tokens: &OneTimeTokens,
        more: &[Write],
    ) -> Result<Registration, StoreError> {
        let key = name_key(&user.username);
        let mut backoff = Backoff::new("create a user");
        loop {
            let holder = self.table.get::<Reservation>(&key).await?;
            let holder = holder.filter(|holder| !holder.lapsed(user.created_at));
            let mut writes = Vec::new();
            let condition = match &holder {
                None => free(user.created_at),
                Some(Reservation { user_id, sign_up: Some(older), .. }) if claim.beats(older) => {
                    writes.push(self.table.delete(&user_key(*user_id), &always()));
                    writes.push(tokens.remove(&older.token));
                    // Fails when it has been proven meanwhile.
                    owned_by(*user_id, "user_id = :owner AND attribute_exists(sign_up)")
                }
                Some(_) => return Ok(Registration::UsernameTaken),
            };
            let name = writes.len();
            writes.push(self.reserve(&key, held, &condition));
            let account = Account { user, keys: ListKeys::of(user) };
            let account_key = user_key(user.id);
            writes.push(self.put(&account_key, &account, held.unproven_until, &absent("pk")));
            writes.extend(more.iter().cloned());
            match self.table.commit("create a user", writes).await? {
                CommitOutcome::Committed => return Ok(Registration::Done),
                // Somebody else was faster: look again at who has the name.
                CommitOutcome::ConditionFailed(places) if places.contains(&name) => {
                    backoff.wait().await?;
                }
                CommitOutcome::ConditionFailed(_) => return Ok(Registration::EmailKnown),
            }
        }
    }

    fn reserve(&self, key: &Key, reservation: &Reservation, condition: &Condition) -> Write {
        self.put(key, reservation, reservation.unproven_until, condition)
    }

    fn put<T: Serialize>(
        &self,
        key: &Key,
        record: &T,
        forget_at: Option<i64>,
        condition: &Condition,
    ) -> Write {
        match forget_at {
            Some(forget_at) => self.table.put_until(key, record, forget_at, condition),
            None => self.table.put(key, record, condition),
        }
    }

    /// The writes that give an invitation another token, on condition that it is not accepted yet.
    /// `None` when nobody is invited there.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn renew_invitation(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
    ) -> Result<Option<Vec<Write>>, StoreError> {
        let address = self.table.get::<Reservation>(&mail_key(&user.email)).await?;
        let Some(older) = address.and_then(|address| address.invitation) else { return Ok(None) };
        let end = number(token.expires_at);
        let invited = Condition::new("waiting_for = :invitation AND active = :yes")
            .with(":yes", AttributeValue::Bool(true))
            .with(":invitation", text(WaitingFor::Invitation.as_str()))
            .with(":until", end.clone());
        let owned = || owned_by(user.id, "user_id = :owner").with(":until", end.clone());
        // Fails when somebody else sends it once more at the same moment.
        let older_owned = owned_by(user.id, "user_id = :owner AND invitation = :older")
            .with(":until", end.clone())
            .with(":older", text(older.as_str()))
            .with(":newer", text(token.hash.as_str()));
        let later = "SET unproven_until = :until, forget_at = :until";
        let (name, mail) = (name_key(&user.username), mail_key(&user.email));
        let newer = "SET unproven_until = :until, forget_at = :until, invitation = :newer";
        let mut writes = vec![
            self.table.update(&user_key(user.id), "SET forget_at = :until", &invited),
            self.table.update(&name, later, &owned()),
            self.table.update(&mail, newer, &older_owned),
            tokens.remove(&older),
        ];
        writes.extend(tokens.issue(token));
        Ok(Some(writes))
    }

    /// The writes that delete an account, if it is as it was read, and free its name and its address
    /// as far as they are reserved for it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn delete(&self, user: &User) -> Result<Vec<Write>, StoreError> {
        let (mut writes, _) = self.releases(user).await?;
        writes.push(self.table.delete(&user_key(user.id), &unchanged(user)));
        Ok(writes)
    }

    /// Undoes a sign-up whose mail could not be sent, so that it can be tried again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn withdraw_sign_up(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        line: Write,
    ) -> Result<(), StoreError> {
        let mut writes = self.delete_unproven(user);
        writes.extend(self.delete_waiting(user).await?);
        writes.push(tokens.remove(&token.hash));
        writes.push(line);
        // When a condition fails, another sign-up or an invitation has replaced this one.
        self.table.commit("withdraw a sign-up", writes).await.map(|_| ())
    }

    /// Undoes an invitation whose mail could not be sent, so that it can be tried again.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn withdraw_invitation(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        line: Write,
    ) -> Result<(), StoreError> {
        let mut writes = self.delete_unproven(user);
        let owned = owned_by(user.id, "user_id = :owner");
        writes.push(self.table.delete(&mail_key(&user.email), &owned));
        writes.push(tokens.remove(&token.hash));
        writes.push(line);
        self.table.commit("withdraw an invitation", writes).await.map(|_| ())
    }

    /// Deletes a sign-up of which the owner of the address says that somebody else did it, and its
    /// token, which it takes.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn decline(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        now: Timestamp,
        line: Write,
    ) -> Result<Result<(), RefusedToken>, StoreError> {
        let mut writes = self.delete_unproven(user);
        writes.extend(self.delete_waiting(user).await?);
        let place = writes.len();
        writes.push(tokens.delete_spendable(token, now));
        writes.push(line);
        Ok(match self.table.commit("decline a sign-up", writes).await? {
            CommitOutcome::Committed => Ok(()),
            CommitOutcome::ConditionFailed(places) => Err(refused(token, places.contains(&place))),
        })
    }

    /// The write that deletes the mention of a sign-up, when it is the last one with its address.
    async fn delete_waiting(&self, user: &User) -> Result<Option<Write>, StoreError> {
        let key = waiting_key(&user.email);
        let waiting = self.table.get::<Waiting>(&key).await?;
        Ok(waiting.filter(|it| it.user_id == user.id).map(|_| self.table.delete(&key, &always())))
    }

    /// The writes that free the name and the address of an account, as far as they are reserved for
    /// it, and whether it has proven the address.
    ///
    /// # Errors
    /// When the table does not answer.
    pub(crate) async fn releases(&self, user: &User) -> Result<(Vec<Write>, bool), StoreError> {
        let owned = owned_by(user.id, "user_id = :owner");
        let mut writes = Vec::new();
        let (name, address) = (name_key(&user.username), mail_key(&user.email));
        if self.reserved_for(user.id, &name).await?.is_some() {
            writes.push(self.table.delete(&name, &owned));
        }
        let reserved = self.reserved_for(user.id, &address).await?;
        if reserved.is_some() {
            writes.push(self.table.delete(&address, &owned));
        }
        writes.extend(self.delete_waiting(user).await?);
        let proven = reserved.is_some_and(|it| it.unproven_until.is_none());
        Ok((writes, proven))
    }

    async fn reserved_for(
        &self,
        user: UserId,
        key: &Key,
    ) -> Result<Option<Reservation>, StoreError> {
        let reservation = self.table.get::<Reservation>(key).await?;
        Ok(reservation.filter(|it| it.user_id == user))
    }

    /// The writes that delete an account which was never proven, and the reservation of its name.
    fn delete_unproven(&self, user: &User) -> Vec<Write> {
        let unproven = Condition::new("verified = :no").with(":no", AttributeValue::Bool(false));
        let owned = owned_by(user.id, "user_id = :owner");
        vec![
            self.table.delete(&user_key(user.id), &unproven),
            self.table.delete(&name_key(&user.username), &owned),
        ]
    }

    /// Gives an account another hash of the password that it was read with. When somebody has set
    /// another password meanwhile, that one stays.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn replace_password_hash(&self, user: &User, hash: String) -> Result<(), StoreError> {
        let Some(before) = &user.password_hash else { return Ok(()) };
        let same = Condition::new("password_hash = :before")
            .with(":before", text(before))
            .with(":hash", text(hash));
        let write = self.table.update(&user_key(user.id), "SET password_hash = :hash", &same);
        self.table.commit("replace a hash", vec![write]).await.map(|_| ())
    }

    /// Spends `token`, and makes the account and its name last. From then on its address is the
    /// account's, and nobody else's. Exactly one of any number of callers does this.
    ///
    /// # Errors
    /// When the table does not answer; then nothing is known about the token.
    pub async fn prove_address(
        &self,
        user: &User,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        now: Timestamp,
        line: Write,
    ) -> Result<Result<(), ProofRefusal>, StoreError> {
        let mut exists = Condition::new("attribute_exists(pk)");
        let change = if user.waiting_for == Some(WaitingFor::ProofThenApproval) {
            exists = exists.with(":approval", text(WaitingFor::Approval.as_str()));
            "SET verified = :yes, waiting_for = :approval REMOVE forget_at ADD revision :one"
        } else {
            "SET verified = :yes REMOVE forget_at ADD revision :one"
        };
        let address = self.take_address(user.id, &user.email);
        self.prove(user, (change, exists), address, (token, tokens, now), line).await
    }

    /// [`Users::prove_address`] with an invitation, which came to the address; it sets the password
    /// too.
    ///
    /// # Errors
    /// When the table does not answer; then nothing is known about the token.
    pub async fn accept_invitation(
        &self,
        user: &User,
        hash: String,
        token: &TokenRecord,
        tokens: &OneTimeTokens,
        now: Timestamp,
        line: Write,
    ) -> Result<Result<(), ProofRefusal>, StoreError> {
        // An admin may have disabled it.
        let exists = Condition::new("active = :yes").with(":hash", text(hash));
        let change = "SET verified = :yes, password_hash = :hash REMOVE forget_at, waiting_for \
                      ADD revision :one";
        // Whoever proved the address meanwhile has ended the invitation, also when the address is free
        // once more.
        let kept = "SET user_id = :owner REMOVE unproven_until, invitation, forget_at";
        let owned = owned_by(user.id, "user_id = :owner");
        let address = self.table.update(&mail_key(&user.email), kept, &owned);
        self.prove(user, (change, exists), address, (token, tokens, now), line).await
    }

    async fn prove(
        &self,
        user: &User,
        (change, exists): (&str, Condition),
        address: Write,
        (token, tokens, now): (&TokenRecord, &OneTimeTokens, Timestamp),
        line: Write,
    ) -> Result<Result<(), ProofRefusal>, StoreError> {
        let account = exists.with(":yes", AttributeValue::Bool(true)).with(":one", number(1));
        // Fails when the name has lapsed or yielded, and somebody else has it now.
        let owned = owned_by(user.id, "user_id = :owner");
        let name = name_key(&user.username);
        let mut writes = vec![
            self.table.update(&user_key(user.id), change, &account),
            self.table.update(&name, "REMOVE unproven_until, sign_up, forget_at", &owned),
        ];
        let address_place = writes.len();
        writes.push(address);
        let token_place = writes.len();
        writes.extend(tokens.spend(token, now));
        writes.push(line);
        let outcome = self.table.commit("prove an address", writes).await?;
        let CommitOutcome::ConditionFailed(places) = outcome else { return Ok(Ok(())) };
        let failed = |place| places.contains(&place);
        let elsewhere = failed(address_place) && !failed(0) && !failed(token_place);
        Ok(Err(if elsewhere {
            ProofRefusal::EmailTaken
        } else {
            refused(token, failed(token_place)).into()
        }))
    }
}

impl Users {
    /// The write that gives an address, which was proven, to an account, unless another one has
    /// proven it.
    pub(crate) fn take_address(&self, user: UserId, email: &EmailAddress) -> Write {
        // What waits for its own proof is no proof.
        let unproven = "attribute_not_exists(pk) OR user_id = :owner OR \
                        attribute_exists(unproven_until)";
        let take = "SET user_id = :owner REMOVE unproven_until, invitation, forget_at";
        self.table.update(&mail_key(email), take, &owned_by(user, unproven))
    }

    /// The write that takes an address from the account which has proven it.
    pub(crate) fn release_address(&self, user: UserId, email: &EmailAddress) -> Write {
        self.table.delete(&mail_key(email), &owned_by(user, "user_id = :owner"))
    }
}

impl Reservation {
    /// One that nobody has to prove.
    fn lasting(user_id: UserId) -> Self {
        Self { user_id, unproven_until: None, sign_up: None, invitation: None }
    }

    fn lapsed(&self, now: Timestamp) -> bool {
        self.unproven_until.is_some_and(|until| until <= now.as_second())
    }
}

impl Claim<'_> {
    /// Whether a sign-up that waits for its proof yields its name.
    fn beats(&self, older: &SignUp) -> bool {
        match self {
            Self::SignUp(email) => older.email == **email,
            Self::Known => true,
        }
    }
}

/// That nobody has a name or an address at `now`, or that it has lapsed.
fn free(now: Timestamp) -> Condition {
    Condition::new("attribute_not_exists(pk) OR unproven_until <= :now")
        .with(":now", number(now.as_second()))
}

/// That `expression` holds, in which `:owner` is this account.
fn owned_by(user: UserId, expression: &str) -> Condition {
    Condition::new(expression).with(":owner", text(user.to_string()))
}

/// Why a transaction that was to spend `token` was in vain: the token is `gone`, or what it is for.
fn refused(token: &TokenRecord, gone: bool) -> RefusedToken {
    let refusal = if gone { TokenRefusal::Used } else { TokenRefusal::Unknown };
    RefusedToken { kind: token.kind, refusal }
}

pub(crate) fn user_key(id: UserId) -> Key {
    Key::new("pk", format!("user#{id}"))
}

/// The key of no account.
fn nobody() -> Key {
    Key::new("pk", "user#nobody")
}

fn name_key(name: &Username) -> Key {
    Key::new("pk", format!("name#{}", name.canonical()))
}

fn waiting_key(email: &EmailAddress) -> Key {
    Key::new("pk", format!("waiting#{}", email.as_str()))
}

fn mail_key(email: &EmailAddress) -> Key {
    Key::new("pk", format!("mail#{}", email.as_str()))
}
