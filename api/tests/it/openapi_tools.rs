//! What other people's programs say of the document and of the service: `scripts/schemathesis`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::service::Service;

fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(arguments: &[&str]) -> Output {
    let script = checkout().join("scripts/schemathesis");
    Command::new(script).args(arguments).output().expect("scripts/schemathesis runs")
}

#[track_caller]
fn assert_fine(output: &Output) {
    let (said, complained) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}\n{complained}");
    print_summary(&said);
}

/// What is worth reading in the log of a run that went well.
#[expect(clippy::print_stdout, reason = "a test's own log")]
fn print_summary(said: &str) {
    println!("{said}");
}

#[test]
fn the_document_is_openapi_3_1_and_its_examples_are_what_it_describes() {
    assert_fine(&run(&["document"]));
}

/// Every operation, with what it takes and with what it must refuse: no answer is a 5xx that is not documented, and each
/// has a documented status, content type, headers and body.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_answers_as_its_document_says() {
    let service = Service::working(&[]).await;
    let url = format!("http://{}", service.address);
    let key = service.key.clone();
    let asked = tokio::task::spawn_blocking(move || run(&[&url, &key, "--max-examples", "8"]));
    assert_fine(&asked.await.expect("it runs"));
}
