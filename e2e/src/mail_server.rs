//! What SES does, as far as the service can see: takes mails, or refuses them.

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use reqwest::Url;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// A mail that was taken.
#[derive(Clone, Debug)]
pub struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub html: String,
}

impl Mail {
    /// The token in its link to this page, such as `/set-password`.
    pub fn token(&self, page: &str) -> &str {
        let rest = self.text.split_once(&format!("{page}?token=")).unwrap().1;
        rest.split_whitespace().next().unwrap()
    }

    /// The name of the account that it invites to.
    pub fn username(&self) -> &str {
        self.text.lines().find_map(|line| line.strip_prefix("Name: ")).unwrap()
    }
}

/// A server in the place of SES.
pub struct MailServer {
    /// Its address.
    pub url: String,
    taken: Arc<watch::Sender<Vec<Mail>>>,
}

impl MailServer {
    /// Starts one. It refuses mails to addresses that begin with `refused`.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::new(watch::Sender::new(Vec::new()));
        let router = Router::new().fallback(take).with_state(Arc::clone(&taken));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { url, taken }
    }

    /// The variables with which a server sends its mails here.
    pub fn variables(&self) -> [(&str, &str); 3] {
        [
            ("AWS_ENDPOINT_URL_SES", &self.url),
            ("MAIL_MODE", "ses"),
            ("MAIL_FROM", "Share <share@example.com>"),
        ]
    }

    /// The mails that it has taken so far, in the order of their addressees.
    pub fn mails(&self) -> Vec<Mail> {
        let mut mails = self.taken.borrow().clone();
        mails.sort_by(|one, other| (&one.to, &one.subject).cmp(&(&other.to, &other.subject)));
        mails
    }

    /// The newest mail to this address.
    pub fn newest(&self, to: &str) -> Mail {
        let mails = self.taken.borrow();
        mails.iter().rfind(|mail| mail.to == to).unwrap().clone()
    }

    /// Returns when it has taken so many mails.
    pub async fn has_taken(&self, count: usize) {
        self.taken.subscribe().wait_for(|mails| mails.len() >= count).await.unwrap();
    }
}

/// A request of SES's Query protocol.
async fn take(
    State(taken): State<Arc<watch::Sender<Vec<Mail>>>>,
    body: Bytes,
) -> (StatusCode, String) {
    let query = String::from_utf8(body.to_vec()).unwrap();
    let query = Url::parse(&format!("http://ses.invalid/?{query}")).unwrap();
    let field = |name: &str| {
        let value = query.query_pairs().find(|(key, _)| key == name);
        value.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    let mail = Mail {
        to: field("Destination.ToAddresses.member.1"),
        subject: field("Message.Subject.Data"),
        text: field("Message.Body.Text.Data"),
        html: field("Message.Body.Html.Data"),
    };
    if mail.to.starts_with("refused") {
        let error = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>MessageRejected</Code>\
             <Message>Not verified: {}</Message></Error></ErrorResponse>",
            mail.to
        );
        return (StatusCode::BAD_REQUEST, error);
    }
    taken.send_modify(|mails| mails.push(mail));
    let answer = "<SendEmailResponse xmlns=\"http://ses.amazonaws.com/doc/2010-12-01/\">\
                  <SendEmailResult><MessageId>a mail</MessageId></SendEmailResult>\
                  </SendEmailResponse>";
    (StatusCode::OK, answer.to_owned())
}
