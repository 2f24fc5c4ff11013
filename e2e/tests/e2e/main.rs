//! End-to-end tests: one binary, because linking it is the slow part.
//!
//! A module per endpoint, in the folders of `functions/src`; per rule that concerns several of
//! them; and per fault.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop where it stands"
)]

use share_e2e::process::Program;

mod matchers;

mod cli {
    mod crashes;
    mod downloads;
    mod faults;
    mod hostile;
    mod lists;
    mod login;
    mod output;
    mod sessions;
    mod stage;
    mod uploads;
}

mod routes {
    mod accounts {
        mod change_email;
        mod change_password;
        mod confirm_totp;
        mod create_recovery_codes;
        mod create_totp;
        mod delete_account;
        mod delete_totp;
        mod export_account;
        mod request_email_change;
        mod request_password_reset;
        mod request_verification;
        mod reset_password;
        mod set_password;
        mod show_account;
        mod signup;
        mod undo_email;
        mod verify_email;
        mod verify_page;
    }
    mod admin {
        mod change_user;
        mod create_account;
        mod decide_approval;
        mod groups;
        mod invite_user;
        mod list_approvals;
        mod list_audit;
        mod list_invitations;
        mod list_users;
        mod show_user_limits;
        mod withdraw_invitation;
    }
    mod downloads {
        mod download_file;
        mod download_page;
    }
    mod files {
        mod change_file;
        mod delete_file;
        mod list_files;
        mod list_receipts;
        mod list_uploaded;
        mod show_file;
        mod upload_file;
    }
    mod imports {
        mod import_file;
    }
    mod links {
        mod generate_download_link;
        mod link_certificate;
        mod list_links;
        mod revoke_link;
    }
    mod sessions {
        mod end_sessions;
        mod list_sessions;
        mod login;
        mod login_with_code;
        mod refresh_session;
    }
    mod uploads {
        mod abort_upload;
        mod complete_upload;
        mod create_upload;
        mod show_upload;
        mod sign_parts;
    }
    mod web {
        mod web_app;
    }
}

mod rules {
    mod access;
    mod account_audit;
    mod account_changes;
    mod account_privacy;
    mod address_proof;
    mod browser_downloads;
    mod client_signup;
    mod contract;
    mod devices;
    mod embedded_s3;
    mod events;
    mod file_life;
    mod file_lists;
    mod lease_lifetime;
    mod leases;
    mod limits;
    mod log;
    mod notifications;
    mod objects;
    mod one_time;
    mod paging;
    mod ports;
    mod quotas;
    mod races;
    mod ranges;
    mod receipts;
    mod recipient_mails;
    mod recipients;
    mod repeated_requests;
    mod routing;
    mod second_factors;
    mod security_page;
    mod server_process;
    mod this_machine;
    #[cfg(feature = "timing")] // needs a machine that does nothing else: scripts/timing
    mod timing;
    mod verify_receipts;
    mod whole_story;
}

mod faults {
    mod accounts;
    mod broken_downloads;
    mod crashes;
    mod deletion_crashes;
    mod histories;
    mod imports;
    mod late_requests;
    mod lost_answers;
    mod recovery_histories;
    mod session_histories;
    mod upload_crashes;
    mod upload_histories;
    mod upload_lost_answers;
    mod uploads;
}

/// The local server as a program of its own.
const SERVER: Program = Program::at(env!("CARGO_BIN_EXE_share-e2e-server"));

/// The command line as a program of its own.
const SHARE: &str = env!("CARGO_BIN_EXE_share-e2e-share");

const MIB: usize = 1024 * 1024;
