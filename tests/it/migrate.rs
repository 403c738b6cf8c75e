//! `countersign migrate`, and what a process says that may not do it itself.

use std::process::Output;

use crate::service::countersign;

fn run(data: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let mut command = countersign();
    command.env("COUNTERSIGN_DATA__DIR", data.path()).env("COUNTERSIGN_STORE__MIGRATE", "false");
    command.args(arguments).output().expect("countersign runs")
}

#[test]
fn migrations_are_applied_once_and_named() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let printed = |output: Output| {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let first = printed(run(&data, &["migrate"]));
    assert!(first.starts_with("applied 0001 start\n"), "{first}");
    assert!(first.ends_with("sqlite://countersign.db is up to date\n"), "{first}");
    assert_eq!(printed(run(&data, &["migrate"])), "sqlite://countersign.db is up to date\n");
    printed(run(&data, &["keys", "list"]));
}

#[test]
fn a_process_that_may_not_change_the_tables_says_what_to_run() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let refused = run(&data, &["keys", "list"]);
    assert_eq!(refused.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(errors.contains("run `countersign migrate`"), "{errors}");
}
