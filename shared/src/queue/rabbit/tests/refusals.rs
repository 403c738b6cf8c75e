//! What the broker turns down at start, in words that an operator can act on.

use lapin::ExchangeKind;
use lapin::options::ExchangeDeclareOptions;
use lapin::types::FieldTable;

use super::broker::{self, Cleared};
use crate::config::ServiceUrl;
use crate::queue::OpenError;
use crate::queue::rabbit::RabbitQueue;

async fn refused(url: &ServiceUrl, prefix: &str, max_length: u32) -> OpenError {
    RabbitQueue::open_with(url, prefix, max_length).await.err().expect("it is refused")
}

#[tokio::test]
async fn a_queue_with_other_arguments_is_named() {
    let Some((cleared, _queue)) = broker::queue(10).await else { return };
    let error = refused(&cleared.url, &cleared.prefix, 11).await;
    assert!(matches!(&error, OpenError::Different { name, .. } if name.ends_with(".jobs.photo.interactive")));
    let text = error.to_string();
    assert!(text.contains(&cleared.prefix) && text.contains("delete it"), "{text}");
}

#[tokio::test]
async fn an_exchange_of_another_kind_is_named() {
    let Some((cleared, queue)) = broker::queue(10).await else { return };
    let channel = queue.shared.reading.channel().await.expect("a channel");
    let jobs = queue.shared.topology.jobs();
    channel
        .exchange_delete(jobs.as_str().into(), lapin::options::ExchangeDeleteOptions::default())
        .await
        .expect("deleted");
    let made = channel.exchange_declare(
        jobs.as_str().into(),
        ExchangeKind::Topic,
        ExchangeDeclareOptions::default(),
        FieldTable::default(),
    );
    made.await.expect("another exchange");
    let error = refused(&cleared.url, &cleared.prefix, 10).await;
    assert!(matches!(&error, OpenError::Different { name, .. } if *name == jobs), "{error:?}");
}

#[tokio::test]
async fn a_wrong_password_or_vhost_is_told_from_a_broker_that_is_away() {
    let Some(cleared) = Cleared::new() else { return };
    let url = cleared.url.as_str();
    let (server, _) = url.rsplit_once('/').expect("a vhost");
    let (_, host) = server.rsplit_once('@').expect("a user");
    let nowhere = format!("{server}/no-such-vhost");
    let stranger = format!("amqp://guest:wrong@{host}/%2f");
    for url in [nowhere, stranger] {
        let error = refused(&url.into(), &cleared.prefix, 10).await;
        assert!(matches!(error, OpenError::Forbidden(_)), "{error:?}");
    }
    let error = refused(&"amqp://guest:guest@127.0.0.1:1/%2f".into(), &cleared.prefix, 10).await;
    assert!(matches!(error, OpenError::Unavailable(_)), "{error:?}");
    let error = refused(&"amqp:guest".into(), &cleared.prefix, 10).await;
    assert!(matches!(error, OpenError::InvalidUrl), "{error:?}");
}
