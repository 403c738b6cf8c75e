//! The binaries as programs: what they link, how they refuse bad settings, how they tell whether they are ready.

use std::net::TcpListener;
use std::process::{Command, Output};

use crate::service::{Service, binary};

/// The services, and the setting that each one's health check asks by.
const SERVICES: [(&str, &str); 2] =
    [("countersign-api", "COUNTERSIGN_SERVER__LISTEN"), ("countersign-worker", "COUNTERSIGN_WORKER__LISTEN")];

fn run(name: &str, arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    binary(name).args(arguments).envs(settings.iter().copied()).output().expect("it runs")
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn bad_settings_end_each_with_64_and_are_named() {
    for arguments in [&["countersign-api"][..], &["countersign-worker"], &["countersign", "settings"]] {
        let output = run(arguments[0], &arguments[1..], &[("COUNTERSIGN_WORKER__LEESE", "3s")]);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}");
        assert!(errors(&output).contains("leese"), "{}", errors(&output));
    }
}

#[test]
fn one_of_several_processes_refuses_the_settings_of_one_alone() {
    for (name, _) in SERVICES {
        let output = run(name, &[], &[]);
        assert_eq!(output.status.code(), Some(64), "{name}");
        assert!(errors(&output).contains("redis://"), "{}", errors(&output));
    }
}

#[test]
fn a_health_check_tells_a_ready_process_from_one_that_is_not_there() {
    let service = Service::shared();
    let address = service.url.strip_prefix("http://").expect("an address").to_owned();
    let free =
        TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").to_string();
    let ask = |name: &str, setting: &str, address: &str| {
        let arguments: &[&str] = match setting {
            "COUNTERSIGN_WORKER__LISTEN" if name == "countersign" => &["healthcheck", "worker"],
            _ => &["healthcheck"],
        };
        run(name, arguments, &[(setting, address)])
    };
    let whole = ("countersign", "COUNTERSIGN_SERVER__LISTEN");
    for (name, setting) in SERVICES.into_iter().chain([whole, ("countersign", SERVICES[1].1)]) {
        let there = ask(name, setting, &address);
        assert_eq!(there.status.code(), Some(0), "{name}: {}", errors(&there));
        let gone = ask(name, setting, &free);
        assert_eq!(gone.status.code(), Some(1), "{name}");
        assert!(errors(&gone).contains(&free), "{}", errors(&gone));
    }
}

/// What the dependency rule says of crates, seen in the program that ships.
#[test]
fn the_front_end_needs_no_native_library_beyond_the_system_s_own() {
    let libraries = |name: &str| {
        let program = binary(name).get_program().to_owned();
        let output = Command::new("ldd").arg(program).output().expect("ldd runs");
        assert!(output.status.success(), "{}", errors(&output));
        String::from_utf8(output.stdout).expect("text")
    };
    let own =
        ["linux-vdso.so", "libc.so", "libm.so", "libgcc_s.so", "/ld-linux", "libpthread.so", "libdl.so"];
    let foreign = libraries("countersign-api");
    let foreign: Vec<_> =
        foreign.lines().filter(|line| !own.iter().any(|name| line.contains(name))).collect();
    assert!(foreign.is_empty(), "{foreign:#?}");
    assert!(libraries("countersign-worker").contains("libavcodec"), "or this test sees nothing");
}
