//! `user_list`: all accounts, page by page.

use share_contract::{ErrorCode, Operation, UserDetails, operations};
use share_http::{
    Answer, ApiError, Authenticator, Endpoint, Paging, PublicUrl, Request, UserListQuery,
};
use share_store::{Platform, StartError, UserQuery, Users};

/// What this endpoint touches; its IAM policy in `template.yaml` says the same.
pub struct ListUsers {
    authenticator: Authenticator,
    users: Users,
    public_url: PublicUrl,
}

impl Endpoint for ListUsers {
    const NAME: &'static str = "ListUsers";
    const OPERATIONS: &'static [&'static Operation] = &[&operations::USER_LIST];
    type Json = Vec<UserDetails>;

    async fn connect(platform: &Platform) -> Result<Self, StartError> {
        Ok(Self {
            authenticator: Authenticator::connect(platform).await?,
            users: Users::connect(platform)?,
            public_url: PublicUrl::read(platform.environment())?,
        })
    }

    async fn handle(&self, request: &Request) -> Result<Answer<Vec<UserDetails>>, ApiError> {
        self.authenticator.caller(request).await?; // 401, 403
        let users = UserListQuery::read(request)?; // 400
        let path = users.of("/api/admin/users");
        let paging = Paging::read(request, path, None, self.authenticator.keys())?; // 400
        let group = match &users.group {
            Some(name) => {
                let group = self.users.group(name).await?; // 503
                Some(group.ok_or(ErrorCode::GroupUnknown)?.id) // 404
            }
            None => None,
        };
        let query = UserQuery {
            limit: paging.limit,
            cursor: paging.cursor.as_ref(),
            sort: users.sort,
            search: users.search.as_deref(),
            role: users.role,
            state: users.state,
            group,
        };
        let page = self.users.page(&query, request.now()).await?; // 503
        paging.answer(page.map(UserDetails::from), &self.public_url, request)
    }
}
