//! A real S3 server over a folder, for tests: `countersign-test-s3 FOLDER ADDRESS ACCESS_KEY SECRET_KEY`. Every folder in
//! FOLDER is a bucket.

use std::error::Error;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, address, access_key, secret_key] = arguments.as_slice() else {
        return Err("usage: countersign-test-s3 FOLDER ADDRESS ACCESS_KEY SECRET_KEY".into());
    };
    let files = FileSystem::new(folder).map_err(|error| format!("{folder} can't be served: {error:?}"))?;
    let mut builder = S3ServiceBuilder::new(files);
    builder.set_auth(SimpleAuth::from_single(access_key.as_str(), secret_key.as_str()));
    let service = builder.build();
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        // An answer's body must not wait until its head was acknowledged.
        drop(stream.set_nodelay(true));
        let service = service.clone();
        tokio::spawn(async move {
            Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await
                .map_err(drop)
        });
    }
}
