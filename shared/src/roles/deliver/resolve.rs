//! From a host's name to the addresses that may be connected to. The client connects to these and to no others, so a name
//! that changes between the check and the connection gains nothing.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::domain::{RefusedTarget, Targets};

/// Who knows names.
#[async_trait]
pub(super) trait Lookup: Send + Sync {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's own resolver.
pub(super) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// There is nobody of that name.
#[derive(Debug, thiserror::Error)]
#[error("the name has no address")]
pub(super) struct NameNotFound(#[source] pub(super) Option<io::Error>);

/// Gives the client the addresses of a name, all of which have been checked.
pub(super) struct Checked {
    pub(super) lookup: Arc<dyn Lookup>,
    pub(super) targets: Arc<Targets>,
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, targets) = (Arc::clone(&self.lookup), Arc::clone(&self.targets));
        Box::pin(async move {
            let addresses = lookup.lookup(name.as_str()).await.map_err(|error| NameNotFound(Some(error)))?;
            if addresses.is_empty() {
                return Err(NameNotFound(None).into());
            }
            // One that may not be connected to says enough about the others.
            if !addresses.iter().all(|address| targets.permits(name.as_str(), *address)) {
                return Err(RefusedTarget::Address.into());
            }
            let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
