//! The command line's side of administration: no server, the same rows.

use std::process::Output;

use serde_json::Value;

use crate::service::countersign;

struct Data(tempfile::TempDir);

impl Data {
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = countersign();
        command.env("COUNTERSIGN_DATA__DIR", self.0.path()).args(arguments);
        command.output().expect("countersign runs")
    }

    fn prints(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    fn actions(&self, arguments: &[&str]) -> Vec<String> {
        let exported = self.prints(&[&["audit", "export"], arguments].concat());
        let line = |line: &str| serde_json::from_str::<Value>(line).expect("a line of JSON");
        let entries = exported.lines().map(line).inspect(|entry| assert_eq!(entry["actor"], "cli"));
        entries.map(|entry| entry["action"].as_str().expect("an action").to_owned()).collect()
    }
}

#[test]
fn tenants_and_keys_are_administered_and_every_step_is_in_the_audit_log() {
    let data = Data(tempfile::tempdir().expect("a temporary folder"));
    let tenant = data.prints(&["tenants", "create", "acme", "--monthly-quota", "100"]);
    assert!(!data.run(&["tenants", "create", "acme"]).status.success(), "the name is taken");
    let limits = ["--rate-per-minute", "600", "--burst", "60"];
    let first = data.prints(&[&["keys", "create", "--tenant", "acme"], &limits[..]].concat());
    let keys = || -> Value {
        serde_json::from_str(&data.prints(&["keys", "list", "--tenant", "acme", "--json"])).expect("JSON")
    };
    let listed = keys();
    assert_eq!(listed[0]["limits"]["rate_limit"]["per_minute"], 600);
    let old = listed[0]["id"].as_str().expect("an id").to_owned();
    let second = data.prints(&["keys", "rotate", &old, "--overlap", "1h"]);
    assert!(first.starts_with("cs_") && second.starts_with("cs_") && first != second);
    let listed = keys();
    assert!(listed[0]["expires_at"].is_number() && listed[1]["expires_at"].is_null(), "{listed}");
    data.prints(&["keys", "revoke", &old]);
    data.prints(&["tenants", "suspend", "acme"]);
    assert!(data.prints(&["tenants", "list"]).contains("suspended"));
    data.prints(&["tenants", "resume", "acme"]);
    assert!(!data.run(&["tenants", "suspend", "nobody"]).status.success());

    let expected =
        ["tenant.resumed", "tenant.suspended", "key.revoked", "key.rotated", "key.created", "tenant.created"];
    assert_eq!(data.actions(&["--tenant", tenant.trim()]), expected);
    assert_eq!(data.actions(&["--action", "key.rotated"]), ["key.rotated"]);
    assert_eq!(data.actions(&["--until", "2020-01-01T00:00:00Z"]), Vec::<String>::new());
    let used = data.prints(&["usage", "--tenant", "acme", "--month", "2026-11"]);
    assert!(used.lines().last().is_some_and(|line| line.ends_with(" 0")), "{used}");
}
