//! From the settings to a bucket that answers.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::list::{PaginatedListOptions, PaginatedListStore};
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, Error, RetryConfig};
use tokio::runtime::Handle;

use super::S3Blobs;
use super::copies::Copies;
use super::error::status;
use crate::blob::{BlobError, OpenError};
use crate::config::{self, Data, ServiceUrl};

/// Where copies for decoders lie, below the data folder.
const COPIES: &str = "copies";

const CONNECT: Duration = Duration::from_secs(5);

/// Without an answer, or between two pieces of one; it must be enough to send a part.
const SILENCE: Duration = Duration::from_secs(20);

/// A whole request, which may fetch the largest video.
const REQUEST: Duration = Duration::from_mins(1);

/// After this a failed request is not tried again.
const RETRIES: Duration = Duration::from_secs(10);

/// The variables of the environment that are followed when the settings name no keys: those by which machines,
/// containers and clusters hand out credentials. No other is.
const CREDENTIALS: [AmazonS3ConfigKey; 10] = [
    AmazonS3ConfigKey::AccessKeyId,
    AmazonS3ConfigKey::SecretAccessKey,
    AmazonS3ConfigKey::Token,
    AmazonS3ConfigKey::WebIdentityTokenFile,
    AmazonS3ConfigKey::RoleArn,
    AmazonS3ConfigKey::RoleSessionName,
    AmazonS3ConfigKey::StsEndpoint,
    AmazonS3ConfigKey::ContainerCredentialsRelativeUri,
    AmazonS3ConfigKey::ContainerCredentialsFullUri,
    AmazonS3ConfigKey::ContainerAuthorizationTokenFile,
];

impl S3Blobs {
    /// Asks the bucket for one key, so that a wrong setting shows at the start. Must be called on the runtime of the
    /// process.
    pub async fn open(settings: &config::Blobs, data: &Data) -> Result<Self, OpenError> {
        let (bucket, prefix) = locate(&settings.url)?;
        let store = client(settings, bucket)?;
        let one = PaginatedListOptions { max_keys: Some(1), ..PaginatedListOptions::default() };
        let below = (!prefix.as_ref().is_empty()).then(|| format!("{prefix}/"));
        store.list_paginated(below.as_deref(), one).await.map_err(|error| refused(error, &settings.url))?;
        Ok(Self {
            store: Arc::new(store),
            prefix,
            copies: Copies::new(data.resolve(COPIES)),
            runtime: Handle::current(),
        })
    }
}

/// The bucket and what comes before every key.
fn locate(url: &ServiceUrl) -> Result<(&str, Path), OpenError> {
    let invalid = || OpenError::InvalidS3Url(url.clone());
    let rest = url.strip_prefix("s3://").ok_or_else(invalid)?;
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let named = bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-_".contains(c));
    if bucket.is_empty() || !named {
        return Err(invalid());
    }
    Ok((bucket, Path::parse(prefix).map_err(|_| invalid())?))
}

fn client(settings: &config::Blobs, bucket: &str) -> Result<AmazonS3, OpenError> {
    let endpoint = &settings.endpoint;
    let options = ClientOptions::new()
        .with_allow_http(endpoint.starts_with("http://"))
        .with_connect_timeout(CONNECT)
        .with_read_timeout(SILENCE)
        .with_timeout(REQUEST);
    let backoff = BackoffConfig {
        init_backoff: Duration::from_millis(100),
        max_backoff: Duration::from_secs(2),
        base: 2.0,
    };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(bucket)
        .with_region(&settings.region)
        .with_client_options(options)
        .with_retry(RetryConfig { backoff, max_retries: 10, retry_timeout: RETRIES })
        // A verification has three objects at most, and not every server can delete in bulk.
        .with_disable_bulk_delete(true);
    if endpoint.is_empty() {
        // A certificate for *.s3.amazonaws.com covers no name with a dot before it.
        builder = builder.with_virtual_hosted_style_request(!bucket.contains('.'));
    } else {
        builder = builder.with_endpoint(endpoint.as_str());
    }
    let secret = settings.secret_key.reveal();
    builder = match (settings.access_key.as_str(), secret) {
        ("", "") => with_credentials_of_the_machine(builder),
        ("", _) | (_, "") => return Err(OpenError::OneKey),
        (access_key, secret) => builder.with_access_key_id(access_key).with_secret_access_key(secret),
    };
    builder.build().map_err(|source| OpenError::S3 { url: settings.url.clone(), source: Box::new(source) })
}

fn with_credentials_of_the_machine(builder: AmazonS3Builder) -> AmazonS3Builder {
    let machine = AmazonS3Builder::from_env();
    CREDENTIALS.into_iter().fold(builder, |builder, key| match machine.get_config_value(&key) {
        Some(value) => builder.with_config(key, value),
        None => builder,
    })
}

fn refused(error: Error, url: &ServiceUrl) -> OpenError {
    let url = url.clone();
    match status(&error) {
        Some(404) => return OpenError::NoBucket(url),
        Some(401 | 403) => return OpenError::Refused { url, source: Box::new(error) },
        _ => {}
    }
    match BlobError::from(error) {
        BlobError::Unavailable(source) => OpenError::Unavailable { url, source },
        BlobError::Other(source) => OpenError::S3 { url, source },
        BlobError::NotFound => OpenError::NoBucket(url),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_may_have_a_prefix() {
        for (url, bucket, prefix) in [
            ("s3://media", "media", ""),
            ("s3://media/", "media", ""),
            ("s3://my.media-1/eu/countersign/", "my.media-1", "eu/countersign"),
        ] {
            assert_eq!(locate(&url.into()).expect("an address"), (bucket, Path::from(prefix)));
        }
    }

    #[test]
    fn an_address_without_a_bucket_is_refused() {
        for url in ["s3://", "s3:///prefix", "s3://user:pass@media", "s3://me dia", "s3://media/a//b"] {
            assert!(matches!(locate(&url.into()), Err(OpenError::InvalidS3Url(_))), "{url}");
        }
    }
}
