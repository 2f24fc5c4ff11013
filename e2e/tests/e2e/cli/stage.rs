//! A service whose API and S3 are asked through proxies.

use share_e2e::World;
use share_e2e::command::Machine;
use share_e2e::proxy::Proxy;

use crate::SHARE;

/// Requests to S3 that the command itself makes, and not the service.
const OF_THE_COMMAND: &str = "user-agent: share/";

pub(super) struct Stage {
    engines: World,
    pub(super) world: World,
    pub(super) api: Proxy,
    /// Marked are the requests of the command.
    pub(super) s3: Proxy,
}

impl Stage {
    /// A service to whose requests with this mark something can happen.
    pub(super) async fn start(marked: &'static str, variables: &[(&str, &str)]) -> Self {
        let engines = World::engines().await;
        let own = engines.variables_of_store().await;
        let s3 = Proxy::start(&own["AWS_ENDPOINT_URL_S3"], OF_THE_COMMAND).await;
        let variables = [&[("AWS_ENDPOINT_URL_S3", &*s3.url)], variables].concat();
        let world = World::over(&engines, &variables).await;
        let api = Proxy::start(&world.base, marked).await;
        Self { engines, world, api, s3 }
    }

    /// Where a script runs for the local account of this role.
    pub(super) async fn machine(&self, role: &str) -> Machine {
        let mut machine = Machine::of(SHARE, &self.world, role).await;
        machine.set("SHARE_URL", &self.api.url);
        machine
    }

    /// Waits for `what`, and checks files meanwhile as the events of S3 say.
    pub(super) async fn with_checks<T>(&self, what: impl Future<Output = T>) -> T {
        let mut events = self.engines.server.backend().events();
        let check = async {
            while let Ok(event) = events.recv().await {
                if event["detail-type"] == "Object Created" {
                    self.world.server.invoke_job("CheckFile", event).await.unwrap();
                }
            }
            unreachable!("the engines have ended")
        };
        tokio::select! {
            done = what => done,
            () = check => unreachable!("the engines have ended"),
        }
    }
}
