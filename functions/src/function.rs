//! The list of all functions, by their names in `template.yaml`.

use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};
use share_contract::Operation;
use share_http::{Endpoint, Response, respond};
use share_model::Environment;
use share_runtime::{DirectFunction, Error, NotDone, run, run_direct, run_streaming};
use share_store::{Clock, Platform, StartError};

use crate::accounts::{
    ChangeEmail, ChangePassword, ConfirmTotp, CreateRecoveryCodes, CreateTotp, DeleteAccount,
    DeleteTotp, ExportAccount, RequestEmailChange, RequestPasswordReset, RequestVerification,
    ResetPassword, SetPassword, ShowAccount, Signup, UndoEmail, VerifyEmail, VerifyPage,
};
use crate::admin::{
    ChangeMembers, ChangeUser, CreateAccount, CreateGroup, DecideApproval, DeleteGroup, InviteUser,
    ListApprovals, ListAudit, ListGroups, ListInvitations, ListUsers, ShowUser, ShowUserLimits,
    WithdrawInvitation,
};
use crate::downloads::{DownloadFile, DownloadPage};
use crate::files::{
    ChangeFile, DeleteFile, ListFiles, ListReceipts, ListUploaded, ShowFile, UploadFile,
};
use crate::imports::ImportFile;
use crate::jobs::{CheckFile, ContinueImports, EraseAccounts, RemoveFiles};
use crate::links::{CertificateKeys, GenerateDownloadLink, LinkCertificate, ListLinks, RevokeLink};
use crate::sessions::{EndSessions, ListSessions, Login, RefreshSession};
use crate::uploads::{AbortUpload, CompleteUpload, CreateUpload, ShowUpload, SignParts};
use crate::web::{ApiDocs, OpenApi, WebApp};

/// All functions.
const ALL: &[Function] = &[
    Function::of::<Signup>(),
    Function::of::<VerifyEmail>(),
    Function::of::<VerifyPage>(),
    Function::of::<SetPassword>(),
    Function::of::<RequestVerification>(),
    Function::of::<RequestPasswordReset>(),
    Function::of::<ResetPassword>(),
    Function::of::<ShowAccount>(),
    Function::of::<ChangePassword>(),
    Function::of::<RequestEmailChange>(),
    Function::of::<ChangeEmail>(),
    Function::of::<UndoEmail>(),
    Function::of::<Login>(),
    Function::of::<RefreshSession>(),
    Function::of::<ListSessions>(),
    Function::of::<EndSessions>(),
    Function::of::<CreateTotp>(),
    Function::of::<ConfirmTotp>(),
    Function::of::<DeleteTotp>(),
    Function::of::<CreateRecoveryCodes>(),
    Function::direct::<CreateAccount>(),
    Function::of::<ListUsers>(),
    Function::of::<ShowUser>(),
    Function::of::<ShowUserLimits>(),
    Function::of::<ChangeUser>(),
    Function::of::<ListGroups>(),
    Function::of::<CreateGroup>(),
    Function::of::<DeleteGroup>(),
    Function::of::<ChangeMembers>(),
    Function::of::<UploadFile>(),
    Function::of::<CreateUpload>(),
    Function::of::<ShowUpload>(),
    Function::of::<SignParts>(),
    Function::of::<CompleteUpload>(),
    Function::of::<AbortUpload>(),
    Function::of::<ImportFile>(),
    Function::of::<ListFiles>(),
    Function::of::<ListUploaded>(),
    Function::of::<ShowFile>(),
    Function::of::<ChangeFile>(),
    Function::of::<DeleteFile>(),
    Function::direct::<CheckFile>(),
    Function::direct::<ContinueImports>(),
    Function::direct::<RemoveFiles>(),
    Function::of::<ListReceipts>(),
    Function::of::<ExportAccount>(),
    Function::of::<DeleteAccount>(),
    Function::direct::<EraseAccounts>(),
    Function::of::<ListAudit>(),
    Function::of::<GenerateDownloadLink>(),
    Function::of::<ListLinks>(),
    Function::of::<RevokeLink>(),
    Function::of::<DownloadPage>(),
    Function::of::<LinkCertificate>(),
    Function::of::<CertificateKeys>(),
    Function::streaming::<DownloadFile>(),
    Function::of::<ListApprovals>(),
    Function::of::<DecideApproval>(),
    Function::of::<InviteUser>(),
    Function::of::<ListInvitations>(),
    Function::of::<WithdrawInvitation>(),
    Function::of::<OpenApi>(),
    Function::of::<ApiDocs>(),
    Function::of::<WebApp>(),
];

/// One Lambda function.
pub struct Function {
    /// Its logical id in `template.yaml`, which is its Handler too.
    pub name: &'static str,
    /// The operations that it serves. None when it has no route.
    pub operations: &'static [&'static Operation],
    run: fn(Environment) -> Running,
    serve: for<'a> fn(&'a Platform) -> Starting<'a>,
}

type Running = Pin<Box<dyn Future<Output = Result<(), Error>>>>;
type Starting<'a> = Pin<Box<dyn Future<Output = Result<Served, StartError>> + Send + 'a>>;

/// A function that was started in this process, whichever it is.
pub enum Served {
    /// One behind routes.
    Endpoint(Arc<dyn ServedEndpoint>),
    /// One without.
    Direct(Arc<dyn ServedDirect>),
}

/// An endpoint that answers requests in this process, whichever it is.
pub trait ServedEndpoint: Send + Sync {
    /// Answers one request, as the endpoint's Lambda function would.
    fn respond<'a>(
        &'a self,
        request: lambda_http::Request,
        clock: &'a Clock,
    ) -> Pin<Box<dyn Future<Output = Response> + Send + 'a>>;
}

impl<E: Endpoint> ServedEndpoint for E {
    fn respond<'a>(
        &'a self,
        request: lambda_http::Request,
        clock: &'a Clock,
    ) -> Pin<Box<dyn Future<Output = Response> + Send + 'a>> {
        Box::pin(respond(self, request, clock))
    }
}

/// A function without a route that is invoked in this process, whichever it is.
pub trait ServedDirect: Send + Sync {
    /// Answers one invocation, as its Lambda function would.
    ///
    /// # Errors
    /// When it cannot be done.
    fn invoke<'a>(
        &'a self,
        input: Map<String, Value>,
        clock: &'a Clock,
    ) -> Pin<Box<dyn Future<Output = Result<Value, NotDone>> + Send + 'a>>;
}

impl<F: DirectFunction> ServedDirect for F {
    fn invoke<'a>(
        &'a self,
        input: Map<String, Value>,
        clock: &'a Clock,
    ) -> Pin<Box<dyn Future<Output = Result<Value, NotDone>> + Send + 'a>> {
        Box::pin(DirectFunction::invoke(self, input, clock))
    }
}

impl Function {
    const fn of<E: Endpoint>() -> Self {
        Self::endpoint::<E>(|environment| Box::pin(run::<E>(environment)))
    }

    const fn streaming<E: Endpoint>() -> Self {
        Self::endpoint::<E>(|environment| Box::pin(run_streaming::<E>(environment)))
    }

    const fn endpoint<E: Endpoint>(run: fn(Environment) -> Running) -> Self {
        let serve: for<'a> fn(&'a Platform) -> Starting<'a> = |platform| {
            Box::pin(async { Ok(Served::Endpoint(Arc::new(E::connect(platform).await?))) })
        };
        Self { name: E::NAME, operations: E::OPERATIONS, run, serve }
    }

    const fn direct<F: DirectFunction>() -> Self {
        let run: fn(Environment) -> Running = |environment| Box::pin(run_direct::<F>(environment));
        let serve: for<'a> fn(&'a Platform) -> Starting<'a> = |platform| {
            Box::pin(async { Ok(Served::Direct(Arc::new(F::connect(platform).await?))) })
        };
        Self { name: F::NAME, operations: &[], run, serve }
    }

    /// All functions.
    #[must_use]
    pub fn all() -> &'static [Self] {
        ALL
    }

    /// The function of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|function| function.name == name)
    }

    /// Is this function, until Lambda ends the process.
    ///
    /// # Errors
    /// When it cannot start, or the runtime's API breaks off.
    pub async fn run(&self, environment: Environment) -> Result<(), Error> {
        (self.run)(environment).await
    }

    /// Starts the function in this process.
    ///
    /// # Errors
    /// When a setting is missing or wrong, or a secret cannot be read.
    pub async fn serve(&self, platform: &Platform) -> Result<Served, StartError> {
        (self.serve)(platform).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_of_the_contract_is_served_by_one_function() {
        let served: Vec<_> = ALL.iter().flat_map(|it| it.operations).map(|it| it.name).collect();
        let unique: BTreeSet<_> = served.iter().copied().collect();
        assert_eq!(unique.len(), served.len(), "no operation is served twice");
        let all: BTreeSet<_> =
            share_contract::operations::ALL.iter().map(|operation| operation.name).collect();
        assert_eq!(unique, all);
    }
}
