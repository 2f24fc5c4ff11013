//! `group_list`: the groups of Clients, page by page.

use share_contract::{GroupDetails, Operation, operations};
use share_http::{Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request};
use share_store::{Platform, StartError, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListGroups {
    authenticator: Authenticator,
    users: Users,
    public_url: PublicUrl,
}

impl Endpoint for ListGroups {
    const NAME: &'static str = "ListGroups";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::GROUP_LIST];
    type Json = Vec<GroupDetails>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<GroupDetails>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let path = "/api/admin/groups".to_owned();
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let page = self.users.groups(paging.limit, paging.cursor.as_ref()).await?; // 503
        paging.answer(page.map(GroupDetails::from), &self.public_url, request)
    }
}
