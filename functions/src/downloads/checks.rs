//! What is checked of a request with a link, before anything is shown or sent. Nothing is changed.

use share_auth::OpaqueSecret;
use share_contract::ErrorCode;
use share_http::{ApiError, Authenticator, LeaseHolder, Request, TokenGuesses};
use share_model::link_protocol::LinkAndLease;
use share_model::{FileRecord, Lease, MaxDownloads, Role, User};
use share_store::{Files, Platform, StartError, Transfers, Users};

/// The stores that the checks read.
pub(super) struct DownloadChecks {
    authenticator: Authenticator,
    pub(super) users: Users,
    files: Files,
    pub(super) transfers: Transfers,
    guesses: TokenGuesses,
}

/// A request for the file behind a link, after all checks.
pub(super) struct Permitted {
    pub(super) current: LinkAndLease,
    /// Whose leases the request brings, whether or not the link knows them yet.
    pub(super) holder: Option<LeaseHolder>,
    /// Which of its leases of the link it is about, counted from 1.
    pub(super) number: u32,
    /// The maker of the link.
    pub(super) client: User,
    pub(super) file: FileRecord,
}

impl DownloadChecks {
    pub(super) async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            files: Files::connect(platform)?,
            transfers: Transfers::connect(platform)?,
            guesses: TokenGuesses::connect(platform)?,
        })
    }

    /// Everything that must hold before the link is spent. A browser that only `looks` is not told
    /// that its lease has ended when the link can be redeemed once more.
    pub(super) async fn permit(
        &self,
        request: &Request,
        looks: bool,
    ) -> Result<Permitted, ApiError> {
        let token = OpaqueSecret::parse(request.required_query("token")?);
        let token = token.map_err(|_| ErrorCode::LinkUnknown);
        let token = self.guesses.counted(token, request).await?;
        let id = token.link_id();
        let holder = LeaseHolder::read(request, &token, &id)?;
        let number = request
            .query_parameter("lease", |text| MaxDownloads::new(text.parse().unwrap_or_default()))?;
        let mut number = number.map_or(1, MaxDownloads::get);
        let find = async |number| {
            let lease = holder.as_ref().map(|holder| holder.lease(&id, number).hash());
            let found = self.transfers.find(&id, lease.as_ref()).await?;
            self.guesses.counted(found.ok_or(ErrorCode::LinkUnknown), request).await
        };
        let mut current = find(number).await?;
        let link = &current.link;
        let mut client = None;
        if link.bind {
            let (caller, _) = self.authenticator.require(&[Role::Client], request).await?;
            let maker = Some(caller).filter(|caller| caller.id == link.user_id);
            client = Some(maker.ok_or(ErrorCode::LinkBound)?);
        }
        let ended = |lease: &Lease| !lease.is_live(request.now());
        while looks
            && matches!(holder, Some(LeaseHolder::Browser(_)))
            && current.lease.as_ref().is_some_and(ended)
        {
            number += 1;
            current = find(number).await?;
        }
        current.link.admit(current.lease.as_ref(), request.now())?;
        if client.is_none() {
            client = self.users.by_id(current.link.user_id).await?;
        }
        // The links of an account that is disabled, or no Client any more, are revoked with it.
        let client = client.filter(|maker| maker.active && maker.role == Role::Client);
        let client = client.ok_or(ErrorCode::LinkRevoked)?;
        // Nor is there a file for those whom it is not for any more.
        let file = self.files.available_to(&client, current.link.file_id, request.clock()).await?;
        let file = file.ok_or(ErrorCode::FileGone)?;
        Ok(Permitted { current, holder, number, client, file })
    }
}
