//! What commands print with `--json` that is no answer of the API. `docs/cli.schema.json` is made from
//! these types, and `docs/cli.md` says which command prints which.

use std::path::{Path, PathBuf};

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;
use share_contract::{AccountDetails, Problem};
use share_model::{ContentDigest, FileId, FileName, UserId};
use url::Url;

/// Who is logged in, and where.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Identity<'a> {
    /// The address of the service.
    #[cfg_attr(test, schemars(with = "String"))]
    pub(crate) service: &'a Url,
    /// The account.
    #[serde(flatten)]
    pub(crate) account: &'a AccountDetails,
}

/// A file that was uploaded, and that the service has checked and taken.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Uploaded {
    /// Where it came from, as an absolute path; `-` for standard input.
    pub(crate) path: PathBuf,
    /// Its id.
    pub(crate) id: FileId,
    /// Its name at the service.
    pub(crate) filename: FileName,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// The digest of its bytes, as the service has computed it.
    pub(crate) sha256: ContentDigest,
}

/// A file that was downloaded.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Downloaded {
    /// Where it is, as an absolute path.
    pub(crate) path: PathBuf,
    /// Its name at the service.
    pub(crate) filename: FileName,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// The digest of its bytes, which have been checked against it.
    pub(crate) sha256: ContentDigest,
}

/// A certificate that was saved.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct CertificateSaved<'a> {
    /// Where the certificate is.
    pub(crate) certificate: &'a Path,
    /// Where the public keys of the service are.
    pub(crate) keys: &'a Path,
}

/// Files that were deleted.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct FilesDeleted<'a> {
    /// Their ids.
    pub(crate) deleted: &'a [FileId],
}

/// Links that were revoked.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct LinksRevoked<'a> {
    /// Their ids.
    pub(crate) revoked: &'a [String],
}

/// Sessions that were ended.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct SessionsEnded<'a> {
    /// The id of the session, or `all`.
    pub(crate) ended: &'a str,
}

/// A login that was forgotten.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct LoggedOut<'a> {
    /// The profile that had it.
    pub(crate) logged_out: &'a str,
}

/// A group that was deleted.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct GroupDeleted<'a> {
    /// Its name.
    pub(crate) deleted: &'a str,
}

/// Whether an account is in a group.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Membership<'a> {
    /// The name of the group.
    pub(crate) group: &'a str,
    /// The id of the account.
    pub(crate) user_id: UserId,
    /// The name of the account.
    pub(crate) username: &'a str,
    /// Whether it is in the group now.
    pub(crate) member: bool,
}

/// Manual pages that were written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct PagesWritten<'a> {
    /// The folder that has them.
    pub(crate) folder: &'a Path,
}

/// Why a command, or one file of an upload, has failed. It goes to standard error, on a line of its
/// own.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub(crate) struct Failed<'a> {
    /// The exit status for this failure.
    pub(crate) exit_status: u8,
    /// What has happened, for people.
    pub(crate) message: &'a str,
    /// The file of this machine that it is about.
    pub(crate) path: Option<&'a Path>,
    /// What to do next, for people.
    pub(crate) advice: Option<&'a str>,
    /// The answer of the service. Its `code` is stable.
    pub(crate) problem: Option<&'a Problem>,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;

    use clap::CommandFactory;
    use schemars::generate::SchemaSettings;
    use serde_json::{Value, json};

    use super::*;
    use crate::arguments::Arguments;

    fn docs(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
    }

    fn schemas() -> Value {
        let mut generator = SchemaSettings::draft2020_12().into_generator();
        generator.subschema_for::<Identity<'_>>();
        generator.subschema_for::<Uploaded>();
        generator.subschema_for::<Downloaded>();
        generator.subschema_for::<CertificateSaved<'_>>();
        generator.subschema_for::<share_model::Certificate>();
        generator.subschema_for::<FilesDeleted<'_>>();
        generator.subschema_for::<LinksRevoked<'_>>();
        generator.subschema_for::<SessionsEnded<'_>>();
        generator.subschema_for::<LoggedOut<'_>>();
        generator.subschema_for::<GroupDeleted<'_>>();
        generator.subschema_for::<Membership<'_>>();
        generator.subschema_for::<PagesWritten<'_>>();
        generator.subschema_for::<Failed<'_>>();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "What share prints with --json that is no answer of the API",
            "$defs": generator.take_definitions(true),
        })
    }

    #[test]
    fn the_schemas_in_the_docs_are_those_of_the_code() {
        let text = serde_json::to_string_pretty(&schemas()).expect("JSON") + "\n";
        let path = docs("cli.schema.json");
        if std::env::var_os("RENEW").is_some() {
            fs::write(&path, &text).expect("docs/ can be written");
        }
        let there = fs::read_to_string(&path).expect("docs/cli.schema.json is there");
        assert_eq!(there, text, "write it anew with: RENEW=1 cargo test -p share-cli");
    }

    /// The texts that are quoted in the first cells of the table, and in the second.
    fn table() -> (Vec<String>, Vec<String>) {
        let page = fs::read_to_string(docs("cli.md")).expect("docs/cli.md is there");
        let quoted = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        let rows = page
            .lines()
            .skip_while(|line| !line.starts_with("| Command | Schema |"))
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let cells = rows.map(|row| row[1..].split_once('|').expect("two cells"));
        let (firsts, seconds): (Vec<_>, Vec<_>) =
            cells.map(|(a, b)| (quoted(a), quoted(b))).unzip();
        (firsts.concat(), seconds.concat())
    }

    #[test]
    fn the_table_of_schemas_has_every_command() {
        let (documented, _) = table();
        let documented: BTreeSet<_> =
            documented.iter().filter_map(|command| command.split(' ').next()).collect();
        let commands = Arguments::command();
        let commands = commands.get_subcommands().map(clap::Command::get_name);
        // What it prints is a script for a shell.
        let commands: BTreeSet<_> = commands.filter(|name| *name != "completions").collect();
        assert_eq!(documented, commands);
    }

    #[test]
    fn every_schema_of_the_table_exists_and_none_is_left_out() {
        let api = share_contract::openapi::document();
        let api = api["components"]["schemas"].as_object().expect("schemas of the API").clone();
        let own = schemas()["$defs"].as_object().expect("schemas of share").clone();
        let (_, named) = table();
        for name in &named {
            assert!(api.contains_key(name) || own.contains_key(name), "there is no schema {name}");
        }
        let inside = schemas().to_string();
        for name in own.keys().filter(|name| !api.contains_key(*name)) {
            let is_part = inside.contains(&format!("\"#/$defs/{name}\""));
            // The failure of any command.
            let known = named.contains(name) || is_part || name == "Failed";
            assert!(known, "{name} is not in the table");
        }
    }
}
