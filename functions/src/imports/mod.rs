//! Files from other places on the Internet.

mod import_file;
mod importer;
mod new_imports;

pub use import_file::ImportFile;
pub use importer::Importer;
pub use new_imports::NewImports;

use share_contract::settings::IMPORT_ALLOWED_HOSTS;
use share_fetch::AllowedHosts;
use share_model::SettingError;
use share_store::{Platform, StartError};

/// The hosts from which files may come.
fn allowed_hosts(platform: &Platform) -> Result<AllowedHosts, StartError> {
    let list = IMPORT_ALLOWED_HOSTS.read(platform.environment())?;
    let name = IMPORT_ALLOWED_HOSTS.about.name;
    AllowedHosts::parse(&list).map_err(|reason| SettingError::Invalid { name, reason }.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use share_contract::settings::Default;

    #[test]
    fn the_setting_has_the_default_of_the_fetcher() {
        let default = Default::Value(AllowedHosts::DEFAULT);
        assert_eq!(IMPORT_ALLOWED_HOSTS.about.default, default);
    }
}
