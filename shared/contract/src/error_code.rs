//! Every error that the API answers with: the one table of statuses, codes and sentences.

/// Where an answer with an error comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    /// The function behind the route.
    Function,
    /// API Gateway itself, before or in place of a function.
    Gateway,
    /// The local server alone: API Gateway cannot tell this case from others.
    Local,
}

macro_rules! error_codes {
    ($($variant:ident $answerer:ident $status:literal $code:literal $sentence:literal;)*) => {
        /// An error's stable code. In JSON it is the text in the table below.
        ///
        /// A code never changes its meaning. A sentence may hold places such as `{field}`, which
        /// are filled in where the error occurs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum ErrorCode {
            $(#[doc = $sentence] $variant,)*
        }

        impl ErrorCode {
            /// All codes, by status.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The HTTP status that goes with it.
            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The code as answers and logs have it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// What a caller is told.
            #[must_use]
            pub fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence,)* }
            }

            /// Where it comes from.
            #[must_use]
            pub fn answerer(self) -> Answerer {
                match self { $(Self::$variant => Answerer::$answerer,)* }
            }
        }
    };
}

error_codes! {
    MalformedJson Function 400 "malformed_json" "The body is not a JSON object.";
    MalformedForm Function 400 "malformed_form" "The body is not a well-formed form.";
    MalformedMultipart Function 400 "malformed_multipart"
        "The body is not well-formed multipart/form-data.";
    MissingParameter Function 400 "missing_parameter" "The parameter {parameter} is missing.";
    InvalidParameter Function 400 "invalid_parameter" "The parameter {parameter} {reason}.";
    InvalidHeader Function 400 "invalid_header" "The header {header} {reason}.";
    BadRequest Gateway 400 "bad_request" "The gateway did not accept the request.";
    MissingToken Function 401 "missing_token"
        "This needs an access token. Send it as Authorization: Bearer …";
    InvalidToken Function 401 "invalid_token" "The access token is not valid.";
    TokenExpired Function 401 "token_expired" "The access token has expired. Log in again.";
    RefreshUnknown Function 401 "refresh_unknown"
        "This is no refresh token of ours. Log in again.";
    SessionExpired Function 401 "session_expired"
        "This session has lasted too long, or was not used for too long. Log in again.";
    SessionRevoked Function 401 "session_revoked" "This session has been ended. Log in again.";
    InvalidCredentials Function 401 "invalid_credentials"
        "Wrong name, address or password, or not an account of this kind. An e-mail address can be used to log in once it is verified.";
    SecondFactorRequired Function 401 "second_factor_required"
        "This account has a second factor. Send its code with the challenge in this answer.";
    SecondFactorEnrolmentRequired Function 401 "second_factor_enrolment_required"
        "Your role needs a second factor. Set one up with the challenge in this answer.";
    InvalidChallenge Function 401 "invalid_challenge"
        "The challenge is not valid, or its five minutes are over. Log in again.";
    InvalidCode Function 401 "invalid_code" "This code is wrong, or has been used.";
    EmailNotVerified Function 403 "email_not_verified"
        "Verify your e-mail address first: open the link that was mailed to you.";
    AccountDisabled Function 403 "account_disabled" "This account has been disabled.";
    ApprovalPending Function 403 "approval_pending"
        "Your e-mail address is verified. Your account waits to be approved; a mail will tell you.";
    WrongRole Function 403 "wrong_role" "Your role does not permit this.";
    LinkBound Function 403 "link_bound"
        "This link is bound to the account that made it, which is not yours.";
    OpsByInvitation Function 403 "ops_by_invitation" "Ops accounts are made by invitation.";
    ClientByInvitation Function 403 "client_by_invitation"
        "Accounts are made by invitation here. Ask whoever hands files to you.";
    SignupClosed Function 403 "signup_closed"
        "Nobody can sign up here with an address of this domain. Ask to be invited.";
    WrongPassword Function 403 "wrong_password"
        "This is not the password of the account.";
    CrossSite Function 403 "cross_site"
        "A cookie counts only in requests from a page of this service.";
    WrongCode Function 403 "wrong_code" "This code is wrong, or has been used.";
    SecondFactorDemanded Function 403 "second_factor_demanded"
        "Your role needs a second factor, so it cannot be removed.";
    PrefetchRefused Function 403 "prefetch_refused"
        "This link is not for prefetching: it would be spent.";
    RequestBlocked Gateway 403 "request_blocked" "The gateway's firewall has blocked the request.";
    FileUnknown Function 404 "file_unknown" "There is no such file.";
    UploadUnknown Function 404 "upload_unknown" "There is no such upload.";
    LinkUnknown Function 404 "link_unknown" "There is no such download link.";
    SessionUnknown Function 404 "session_unknown" "You have no such session.";
    UserUnknown Function 404 "user_unknown" "There is no such account.";
    GroupUnknown Function 404 "group_unknown" "There is no such group.";
    ApprovalUnknown Function 404 "approval_unknown"
        "No such account waits to be approved. Perhaps somebody has decided already.";
    VerificationUnknown Function 404 "verification_unknown" "There is no such verification link.";
    InvitationUnknown Function 404 "invitation_unknown" "There is no such invitation.";
    PasswordResetUnknown Function 404 "password_reset_unknown"
        "There is no such link to set a new password.";
    EmailChangeUnknown Function 404 "email_change_unknown"
        "There is no such link to change an e-mail address.";
    EmailUndoUnknown Function 404 "email_undo_unknown"
        "There is no such link to undo the change of an e-mail address.";
    RouteUnknown Gateway 404 "route_unknown" "There is no such route.";
    MethodNotAllowed Local 405 "method_not_allowed" "This path takes {methods}.";
    UsernameTaken Function 409 "username_taken" "This username is taken.";
    EmailKnown Function 409 "email_known"
        "There is an account with this e-mail address, or somebody is invited there.";
    EmailTaken Function 409 "email_taken"
        "Another account has proven this e-mail address. Log in with that one.";
    SecondFactorPresent Function 409 "second_factor_present"
        "This account has a second factor. Remove it first.";
    SecondFactorMissing Function 409 "second_factor_missing"
        "This account has no second factor that this could be about.";
    EmailJustChanged Function 409 "email_just_changed"
        "The e-mail address was changed less than 7 days ago, and that can still be undone. Change it later.";
    LastAdmin Function 409 "last_admin"
        "Nobody else could run the installation. Make another account an admin first.";
    GroupExists Function 409 "group_exists" "There is a group of this name.";
    GroupFull Function 409 "group_full"
        "The group has as many members, or the account is in as many groups, as can be.";
    FilenameMismatch Function 409 "filename_mismatch"
        "The file has another name than the one given.";
    UploadIncomplete Function 409 "upload_incomplete" "S3 does not have all parts: {parts}.";
    UploadCompleted Function 409 "upload_completed"
        "The upload is complete. Delete the file instead.";
    QuotaExceeded Function 409 "quota_exceeded"
        "This would be more than may be stored. Delete files first.";
    ReceiptsBroken Function 409 "receipts_broken"
        "Receipts of this link are missing, changed or contradictory, so there is no certificate of it.";
    LinkUsed Function 410 "link_used" "This link has been used. Ask for a new one.";
    LinkExpired Function 410 "link_expired" "This link has expired. Ask for a new one.";
    LinkRevoked Function 410 "link_revoked" "This link has been revoked.";
    LeaseEnded Function 410 "lease_ended"
        "This download cannot be resumed any more: its lease has ended.";
    UploadEnded Function 410 "upload_ended" "The upload was aborted, or its time is over.";
    FileGone Function 410 "file_gone" "The file is no longer available.";
    VerificationUsed Function 410 "verification_used"
        "This verification link has been used. The address is verified: log in.";
    VerificationExpired Function 410 "verification_expired" "This verification link has expired.";
    InvitationUsed Function 410 "invitation_used" "This invitation has been used: log in.";
    InvitationExpired Function 410 "invitation_expired"
        "This invitation has expired. Ask for a new one.";
    PasswordResetUsed Function 410 "password_reset_used"
        "This link has been used, or a newer one was mailed. Ask for a new one.";
    PasswordResetExpired Function 410 "password_reset_expired"
        "This link has expired. Ask for a new one.";
    EmailChangeUsed Function 410 "email_change_used"
        "This link has been used, or a newer one was mailed.";
    EmailChangeExpired Function 410 "email_change_expired"
        "This link has expired. Change the address once more.";
    EmailUndoUsed Function 410 "email_undo_used" "This link has been used.";
    EmailUndoExpired Function 410 "email_undo_expired"
        "This link has expired. The change cannot be undone any more.";
    FileTooLarge Function 413 "file_too_large" "Here a file may have at most 4 MiB (4194304 bytes). Upload a larger one in parts: POST /api/uploads.";
    RequestTooLarge Gateway 413 "request_too_large"
        "The request is larger than the gateway takes.";
    UnsupportedMediaType Function 415 "unsupported_media_type" "Send the body as {type}.";
    FileTypeNotAllowed Function 415 "file_type_not_allowed"
        "Files of this type are not taken. Allowed: {extensions}.";
    ContentMismatch Function 415 "content_mismatch"
        "The file's content is not what its name's extension says.";
    RangeUnsatisfiable Function 416 "range_unsatisfiable"
        "The file has {size} bytes; none of those asked for.";
    HostUnknown Local 421 "host_unknown"
        "This host is not served here. Use localhost, 127.0.0.1 or the public address of the API.";
    InvalidField Function 422 "invalid_field" "Some fields are not as they must be.";
    KeyReused Function 422 "idempotency_key_reused"
        "This Idempotency-Key belongs to another request. Use a new one.";
    FileRejected Function 422 "file_rejected" "The file was not taken: {reason}.";
    ImportFailed Function 422 "import_failed" "The file could not be fetched: {reason}.";
    TooManyGuesses Function 429 "too_many_guesses"
        "Too many wrong passwords or links. Try again later.";
    TooManySignups Function 429 "too_many_signups"
        "Too many sign-ups from your network. Try again later.";
    TooManyMails Function 429 "too_many_mails"
        "Too many mails were asked for from your network. Try again later.";
    TooManyLinks Function 429 "too_many_links"
        "You have made too many links today. Try again tomorrow.";
    TooManyInvitations Function 429 "too_many_invitations"
        "Three invitations went to this address today. Try again tomorrow.";
    TooManyUploads Function 429 "too_many_uploads"
        "You have begun too many uploads today. Try again tomorrow.";
    TooManyRequests Gateway 429 "too_many_requests" "Too many requests. Try again later.";
    DependencyUnavailable Function 503 "dependency_unavailable"
        "A service that this one needs does not answer. Try again.";
    Timeout Gateway 503 "timeout" "The answer took too long. Try again.";
}

impl ErrorCode {
    /// The sentence with its places filled in.
    #[must_use]
    pub fn detail(self, values: &[(&str, &str)]) -> String {
        values.iter().fold(self.sentence().to_owned(), |sentence, (place, value)| {
            sentence.replace(&format!("{{{place}}}"), value)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_in_snake_case_and_ordered_by_status() {
        let mut codes: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
        assert!(ErrorCode::ALL.is_sorted_by_key(|code| code.status()));
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn a_sentence_gets_its_places_filled_in() {
        let detail =
            ErrorCode::InvalidParameter.detail(&[("parameter", "limit"), ("reason", "is bad")]);
        assert_eq!(detail, "The parameter limit is bad.");
    }
}
