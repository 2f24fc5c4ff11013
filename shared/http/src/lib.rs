//! Between API Gateway and the endpoints: a request becomes typed input, an answer or an error
//! becomes an HTTP response, and every response gets its security headers.

mod answer;
mod authenticator;
mod body;
mod changed_user;
mod endpoint;
mod error;
mod fields;
mod file_terms;
mod html_page;
mod lease;
mod limiting;
mod metric;
mod multipart;
mod paging;
mod password_guesses;
mod public_url;
mod range;
mod refresh_cookie;
mod request;
mod second_factors;
mod token_guesses;
mod token_page;

pub use answer::{Answer, NoJson, Response};
pub use authenticator::{Authenticator, Owner};
pub use body::{Body, BodyError, part_of, reporting, whole};
pub use changed_user::changed_user;
pub use endpoint::{Endpoint, respond};
pub use error::ApiError;
pub use fields::Fields;
pub use file_terms::{FileTerms, FileTermsReader, NamedRecipients, end_of_file};
pub use html_page::{HtmlPage, escape};
pub use lease::{LeaseHolder, send_lease};
pub use limiting::{limit, limit_source};
pub use metric::{Metric, log_failure};
pub use multipart::UploadForm;
pub use paging::{FileQuery, Paging, UserListQuery};
pub use password_guesses::{PasswordGuess, PasswordGuesses};
pub use public_url::PublicUrl;
pub use range::RangeRequest;
pub use refresh_cookie::RefreshCookie;
pub use request::{Request, is_from_this_machine};
pub use second_factors::{SecondFactors, Shown, read_code};
pub use token_guesses::TokenGuesses;
pub use token_page::{TokenField, TokenForm, TokenPage};
