//! The simulated platform beside an API server that somebody else runs on this machine: `v9s demo platform`.

use std::sync::Arc;

use futures::FutureExt as _;
use jiff::Timestamp;
use kube::Client;

use super::guests::{Containers, Played};
use super::platform::{self, Endpoint, EndpointError, NotInstalled, Options, Pace, Platform, Refusal};
use super::start::Wishes;
use super::tenants;
use super::virt_api::{Aggregated, FrontProxy, ListenError, RegisterError, Registration, VirtApi, register};

/// Why nothing is played.
#[derive(Debug, thiserror::Error)]
pub enum BesideError {
    /// It must not be.
    #[error(transparent)]
    Refusal(#[from] Refusal),
    /// What every cluster has cannot be put there.
    #[error(transparent)]
    Tenants(#[from] tenants::BadDocument),
    /// It is not taken.
    #[error(transparent)]
    NotInstalled(#[from] NotInstalled),
    /// There is no port for the sub-resources, or nobody to ask for them.
    #[error("the sub-resources of machines cannot be served: {0}")]
    Listen(#[from] ListenError),
    /// The API server does not hand them on.
    #[error("the sub-resources of machines cannot be registered: {0}")]
    Register(#[from] RegisterError),
    /// There is no port for logs.
    #[error("the logs of containers cannot be served: {0}")]
    Logs(#[from] EndpointError),
}

/// A platform beside a server, with what it needs there. [`Beside::end`] takes away what would lead to nowhere.
#[derive(Debug)]
pub struct Beside {
    platform: Platform,
    registration: Registration,
    _aggregated: Aggregated,
}

impl Beside {
    /// Begins to play: with nodes, storage and configuration, and with all tenants where they are wanted.
    ///
    /// # Errors
    ///
    /// [`BesideError`]
    pub async fn start(client: Client, wishes: &Wishes, pace: Pace, all: bool) -> Result<Self, BesideError> {
        Platform::check(&client).await?;
        let endpoint = Endpoint::listen().await?;
        let port = endpoint.address.port();
        let mut objects = if all { tenants::all(port)? } else { tenants::cluster(port)? };
        objects.extend(wishes.stuck.first().map(|_| tenants::stuck_namespace()));
        objects.extend(wishes.stuck.iter().map(|cause| tenants::stuck_by(cause)));
        platform::install(&client, objects).await?;
        let guests = Played::new(client.clone(), Arc::new(Timestamp::now), wishes.consoles.clone());
        let containers = Containers::new(guests.clone());
        endpoint.run_commands(Box::new(move |request, [namespace, pod, container]| {
            let containers = containers.clone();
            async move { containers.answer(request, namespace, pod, container).await }.boxed()
        }));
        let api = VirtApi::with(client.clone(), guests, Box::new(Timestamp::now));
        let aggregated = api.listen(FrontProxy::of(&client).await?).await?;
        let registration = register(client.clone(), aggregated.address.port(), &aggregated.authority).await?;
        let options = Options {
            pace,
            seed: wishes.seed,
            logs: Arc::new(endpoint),
            time: Box::new(Timestamp::now),
            strict: true,
        };
        let platform = match Platform::start(client, options).await {
            Ok(platform) => platform,
            Err(why) => {
                registration.remove().await?;
                return Err(why.into());
            }
        };
        Ok(Self { platform, registration, _aggregated: aggregated })
    }

    /// The platform itself.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Takes the registration of the sub-resources away; all other objects stay.
    ///
    /// # Errors
    ///
    /// What the server has against it.
    pub async fn end(self) -> Result<(), RegisterError> {
        self.registration.remove().await
    }
}
