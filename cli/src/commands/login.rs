use clap::Args;
use share_contract::{AccountDetails, LogIn, LoggedIn, operations};
use share_model::{Role, Username};
use url::Url;

use crate::api::{Api, Caller};
use crate::context::Context;
use crate::failure::{Failure, Status};
use crate::output::plain;
use crate::profile::{self, Profile, Profiles};
use crate::prompt::{ask, ask_secretly};
use crate::secrets::{Keeper, Kept, Secrets};

/// Log in, and stay logged in.
///
/// The command asks for name, password and, when the account has a second factor, its code. None of
/// these secrets can be an argument, because arguments can be seen by others. The session is kept in
/// the keyring of the operating system; where there is none, in a file that only you can read.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  share login https://files.example.com
  share login https://test.example.com --profile test    A second login
  share ls --profile test                                Uses it")]
pub(crate) struct Login {
    /// Address of the service. When it is left out, that of the last login.
    #[arg(value_name = "URL")]
    service: Option<String>,
    /// Name or e-mail address of the account.
    #[arg(long, short, value_name = "NAME")]
    username: Option<String>,
}

impl Login {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let service = match (self.service.as_deref(), &context.url, context.known()?) {
            (Some(url), _, _) => profile::service(url)?,
            (None, Some(url), _) => url.clone(),
            (None, None, Some(known)) => known.url,
            (None, None, None) => {
                return Err(Failure::new(Status::Usage, "Which service? Its address is not known")
                    .advise("Give it: share login https://files.example.com"));
            }
        };
        let anybody = Api::new(service.clone(), Caller::Nobody)?;
        let name = match self.username {
            Some(name) => name,
            None => ask("Name or e-mail address: ".to_owned()).await?,
        };
        let password = ask_secretly(format!("Password of {} at {service}: ", plain(&name))).await?;
        let answer = log_in(&anybody, name, password).await?;

        let with_session = Api::new(service.clone(), Caller::Token(answer.access.clone()))?;
        let account: AccountDetails =
            with_session.request(&operations::ACCOUNT_SHOW).send().await?;
        let secrets = Secrets::new(service, account.username.clone(), answer)?;
        let (kept, before) = match store(context, &secrets, account.role).await {
            Ok(stored) => stored,
            Err(failure) => {
                // Nobody will have its secrets.
                let _ = Api::end(secrets).await;
                return Err(failure);
            }
        };
        context.output.result(&account, || {
            format!("Logged in as {} ({}).\n", account.username.as_str(), account.role.as_str())
        })?;
        context.output.say(format!("The session is kept in {}.", kept.place()));
        if let Some(before) = before {
            end(context, before).await;
        }
        Ok(())
    }
}

/// Keeps the new session: its secrets, and whose it is. Returns the secrets that they replace, if they
/// can be read.
async fn store(
    context: &Context,
    secrets: &Secrets,
    role: Role,
) -> Result<(Kept, Option<Secrets>), Failure> {
    let Context { folders, profile, .. } = context;
    let kept =
        |url: &Url, username: &Username, keeper| Kept::new(folders, profile, url, username, keeper);
    let Secrets { service, username, .. } = secrets;
    // The lock is the same, whatever keeps the secrets.
    let _locked = kept(service, username, Keeper::File).lock().await?;
    let before = context.known()?;
    let before = before.and_then(|it| kept(&it.url, &it.username, it.keeper).read().ok().flatten());
    let kept = Kept::store_anew(folders, profile, secrets)?;
    let (url, username, keeper) = (service.clone(), username.clone(), kept.keeper());
    let set = Profile { url, username, role, keeper };
    Profiles::change(folders, |profiles| profiles.set(profile, set)).await?;
    Ok((kept, before))
}

/// Ends the session of the login before: nobody has its secrets any more, and it would live for days.
async fn end(context: &Context, before: Secrets) {
    let service = before.service.clone();
    match Api::end(before).await {
        // It has ended already.
        Err(failure) if failure.status != Status::NotAllowed => context.output.say(format!(
            "The session of the login before, at {service}, has not been ended: {}. It ends by itself \
             when nobody uses it.",
            plain(&failure.message)
        )),
        _ => {}
    }
}

async fn log_in(api: &Api, name: String, password: String) -> Result<LoggedIn, Failure> {
    let login = if name.contains('@') {
        LogIn::ByEmail { email: name, password, cookie: false }
    } else {
        LogIn::ByUsername { username: name, password, cookie: false }
    };
    let ask_for = async |login: &LogIn| {
        api.request(&operations::SESSION_CREATE).json(login)?.send::<LoggedIn>().await
    };
    let mut refused = match ask_for(&login).await {
        Err(failure) => failure,
        Ok(answer) => return Ok(answer),
    };
    // It is as good as the password, and must not be printed.
    let challenge = refused.problem.as_deref_mut().and_then(|problem| problem.challenge.take());
    if refused.code() == Some("second_factor_enrolment_required") {
        return Err(refused.advise("Set up the second factor in the web app, and log in again."));
    }
    let Some(challenge) = challenge else { return Err(refused) };
    let code =
        ask_secretly("Code of the authenticator app, or a recovery code: ".to_owned()).await?;
    ask_for(&LogIn::ByCode { challenge, code, cookie: false }).await
}
