//! The address under which the API is known outside.

use share_contract::settings::{PUBLIC_BASE_URL, URL_SUFFIX};
use share_model::{Environment, SettingError};

use crate::{ApiError, Request};

/// Makes absolute links. Never from the `Host` header, which the caller chooses.
pub struct PublicUrl {
    configured: Option<String>,
    region: Option<String>,
    suffix: String,
}

impl PublicUrl {
    /// `PUBLIC_BASE_URL`, for a custom domain or the local server. Without it the stage's own
    /// address, which the template cannot give to a function: API and function would then wait
    /// for each other.
    ///
    /// # Errors
    /// When it is not an `http` or `https` address.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let configured = PUBLIC_BASE_URL.read_optional(environment)?;
        let region = environment.optional("AWS_REGION").map(str::to_owned);
        Ok(Self { configured, region, suffix: URL_SUFFIX.read(environment)? })
    }

    /// The absolute address of `path`, which may carry a query.
    ///
    /// # Errors
    /// 503 when nothing says where the API is, which a gateway's event always does.
    pub fn of(&self, request: &Request, path: &str) -> Result<String, ApiError> {
        let base = self.configured.clone().or_else(|| self.stage(request));
        let base = base.ok_or_else(|| {
            let cause = "PUBLIC_BASE_URL is not set, and the event names no API";
            ApiError::unavailable(cause.to_owned())
        })?;
        Ok(format!("{base}{path}"))
    }

    /// `https://<api>.execute-api.<region>.<suffix>/<stage>`, all of it said by AWS.
    fn stage(&self, request: &Request) -> Option<String> {
        let (region, gateway) = (self.region.as_deref()?, request.gateway()?);
        let (api, stage) = (gateway.apiid.as_deref()?, gateway.stage.as_deref()?);
        Some(format!("https://{api}.execute-api.{region}.{}/{stage}", self.suffix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::tests::request;
    use serde_json::json;

    fn url(variables: &[(&str, &str)], context: &serde_json::Value) -> Result<String, ApiError> {
        let environment = variables.iter().copied().collect();
        PublicUrl::read(&environment).unwrap().of(&request(&[], context), "/a?b=c")
    }

    #[test]
    fn the_configured_address_comes_before_that_of_the_stage() {
        let stage = json!({ "apiId": "abc", "stage": "prod" });
        let own = [("PUBLIC_BASE_URL", "https://files.example/"), ("AWS_REGION", "eu-west-1")];
        assert_eq!(url(&own, &stage).unwrap(), "https://files.example/a?b=c");
        let regional = [("AWS_REGION", "eu-west-1")];
        let of_stage = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/a?b=c";
        assert_eq!(url(&regional, &stage).unwrap(), of_stage);
        let in_china = [("AWS_REGION", "cn-north-1"), ("URL_SUFFIX", "amazonaws.com.cn")];
        let of_stage = "https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod/a?b=c";
        assert_eq!(url(&in_china, &stage).unwrap(), of_stage);
    }

    #[test]
    fn without_both_there_is_no_address_and_the_host_header_is_none() {
        let host = json!({ "domainName": "attacker.example" });
        assert!(url(&[("AWS_REGION", "eu-west-1")], &host).is_err());
        assert!(url(&[], &host).is_err());
    }
}
