//! The images and the composition, as far as they can be judged without an engine to run them.
//!
//! - `compose`: reads the compose files as an engine would; `containerfile` reads the Dockerfile.

mod compose;
mod containerfile;

use std::collections::BTreeSet;
use std::process::Command;

use countersign_shared::command::note;
use countersign_shared::config::Config;

use self::compose::Composition;
use self::containerfile::Containerfile;
use crate::media::checkout;
use crate::service::binary;

const OURS: [&str; 2] = ["api", "worker"];
const FILES: [&[&str]; 3] = [
    &["docker-compose.yml"],
    &["docker-compose.yml", "deploy/compose.cuda.yml"],
    &["docker-compose.yml", "deploy/compose.openvino.yml"],
];

#[test]
fn every_setting_of_the_composition_exists_and_makes_processes_that_can_work_together() {
    for files in FILES {
        let composition = Composition::read(files);
        for name in ["api", "worker", "migrate", "tools"] {
            let environment = composition.environment(name);
            assert!(environment.keys().any(|variable| variable.starts_with("COUNTERSIGN_")), "{name}");
            let config = Config::load(None, environment).unwrap_or_else(|error| panic!("{name}: {error}"));
            config.ensure_distributed().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                config.blobs.url.starts_with("s3://"),
                "{name} keeps media where the others don't find them"
            );
        }
    }
}

#[test]
fn every_setting_of_the_images_exists() {
    let containerfile = Containerfile::read();
    for target in containerfile::TARGETS {
        let environment = containerfile.environment(target);
        let config = Config::load(None, environment).unwrap_or_else(|error| panic!("{target}: {error}"));
        assert_eq!(config.models.dir.to_str(), Some("/models"), "{target}");
    }
    for (target, device) in [("worker-cuda", "cuda:0"), ("worker-openvino", "openvino")] {
        let config = Config::load(None, containerfile.environment(target)).expect("settings");
        assert_eq!(config.models.device, device);
    }
}

#[test]
fn every_variable_of_the_composition_is_in_the_example_and_passwords_are_demanded() {
    let composition = Composition::read(FILES[1]);
    let example = compose::example();
    for variable in &composition.variables {
        assert!(example.contains_key(&variable.name), "{} is not in deploy/.env.example", variable.name);
        let is_secret = ["PASSWORD", "SECRET"].iter().any(|word| variable.name.contains(word));
        assert_eq!(variable.is_required, is_secret, "{}", variable.name);
        assert!(!is_secret || example[&variable.name].is_empty(), "{} has a value", variable.name);
    }
    let used: BTreeSet<_> = composition.variables.iter().map(|variable| &variable.name).collect();
    let stray: Vec<_> = example.keys().filter(|name| !used.contains(name)).collect();
    assert!(stray.is_empty(), "nobody reads {stray:?}");
}

#[test]
fn front_ends_and_workers_can_be_scaled() {
    let composition = Composition::read(FILES[0]);
    for name in OURS {
        let service = composition.service(name);
        for fixed in ["container_name", "hostname", "ports", "network_mode"] {
            assert!(service[fixed].is_null(), "{name}.{fixed} allows only one of them");
        }
    }
    let published: Vec<_> = composition
        .services()
        .filter(|(_, service)| !service["ports"].is_null())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(published, ["proxy"], "one published port");
}

#[test]
fn a_service_starts_after_what_it_needs_and_says_whether_it_is_well() {
    let composition = Composition::read(FILES[0]);
    for (name, service) in composition.services() {
        let image = service["image"].as_str().unwrap_or_else(|| panic!("{name} has no image"));
        let tag = image.rsplit_once(':').unwrap_or_else(|| panic!("{name}: {image} has no tag")).1;
        assert_ne!(tag, "latest", "{name}");
        let runs_on = !service["restart"].is_null();
        assert_eq!(
            runs_on,
            !service["healthcheck"].is_null(),
            "{name}: restarted, so looked after; or neither"
        );
        for (other, how) in service["depends_on"].as_object().into_iter().flatten() {
            let stays = !composition.service(other)["restart"].is_null();
            let expected = if stays { "service_healthy" } else { "service_completed_successfully" };
            assert_eq!(how["condition"], expected, "{name} depends on {other}");
        }
    }
}

#[test]
fn our_containers_are_confined() {
    let composition = Composition::read(FILES[0]);
    for name in ["api", "worker", "migrate", "models", "tools"] {
        let service = composition.service(name);
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"][0], "ALL", "{name}");
        assert!(service["tmpfs"][0].as_str().is_some_and(|path| path.starts_with("/tmp:")), "{name}");
        assert!(service["privileged"].is_null() && service["user"].is_null(), "{name}");
    }
    for target in containerfile::TARGETS {
        assert_eq!(Containerfile::read().last(target, "USER").as_deref(), Some("1001:1001"), "{target}");
    }
}

#[test]
fn what_the_composition_mounts_builds_and_runs_exists() {
    let composition = Composition::read(FILES[1]);
    let containerfile = Containerfile::read();
    let volumes = composition.volumes();
    for (name, service) in composition.services() {
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let from = volume.as_str().and_then(|text| text.split(':').next()).expect("SOURCE:TARGET");
            let exists =
                if from.starts_with('.') { checkout().join(from).exists() } else { volumes.contains(from) };
            assert!(exists, "{name} mounts {from}");
        }
        if let Some(target) = service["build"]["target"].as_str() {
            assert!(containerfile::TARGETS.contains(&target), "{name} builds {target}");
            assert!(containerfile.has_stage(target), "{name} builds {target}");
        }
    }
    // What the tools are told to do is a command that they have.
    for (name, service) in composition.services() {
        if service["build"]["target"] != "tools" || service["command"].is_null() {
            continue;
        }
        let arguments =
            service["command"].as_array().expect("a list").iter().map(|word| word.as_str().expect("text"));
        let help = binary("countersign").args(arguments).arg("--help").output().expect("countersign runs");
        assert!(help.status.success(), "{name}: {}", String::from_utf8_lossy(&help.stderr));
    }
}

#[test]
fn the_images_are_built_from_what_is_there() {
    let containerfile = Containerfile::read();
    containerfile.assert_stages_are_known();
    for source in containerfile.sources_from_the_checkout() {
        assert!(checkout().join(&source).exists(), "COPY {source}");
        assert!(!compose::ignored(&source), "COPY {source} is kept out by .dockerignore");
    }
    for needed in
        ["Cargo.lock", ".cargo/config.toml", "migrations", "shared", "tests/bin", "worker/models.toml"]
    {
        assert!(checkout().join(needed).exists() && !compose::ignored(needed), "{needed}");
    }
    for kept_out in [".env", ".git", ".countersign", "target"] {
        assert!(compose::ignored(kept_out), "{kept_out}");
    }
    for base in containerfile.bases() {
        let tag = base.rsplit_once(':').unwrap_or_else(|| panic!("{base} has no tag")).1;
        assert!(tag.chars().filter(|letter| *letter == '.').count() >= 1, "{base} is not pinned");
    }
}

#[test]
fn every_long_running_image_has_a_health_check_by_its_own_program() {
    let containerfile = Containerfile::read();
    for (target, program) in [
        ("api", "countersign-api"),
        ("worker-cpu", "countersign-worker"),
        ("worker-openvino", "countersign-worker"),
        ("worker-cuda", "countersign-worker"),
    ] {
        let check = containerfile.last(target, "HEALTHCHECK").expect("a health check");
        assert!(check.ends_with(&format!(r#"CMD ["{program}", "healthcheck"]"#)), "{check}");
        assert_eq!(containerfile.last(target, "ENTRYPOINT"), Some(format!(r#"["{program}"]"#)));
        let known = binary(program).args(["healthcheck", "--help"]).output().expect("it runs");
        assert!(known.status.success(), "{program}");
    }
    assert!(
        !containerfile.packages("api").iter().any(|package| package.starts_with("libav")),
        "api is small"
    );
}

/// Where this machine is the Debian of the images, its package lists are asked; elsewhere nothing can be said.
#[test]
fn every_debian_package_of_the_images_exists() {
    let debian = std::fs::read_to_string("/etc/debian_version").unwrap_or_default();
    let knows = |package: &str| {
        let output = Command::new("apt-cache").args(["show", package]).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !debian.starts_with("12.") || !knows("ca-certificates") {
        note("skipped: this is no Debian 12 with package lists");
        return;
    }
    let containerfile = Containerfile::read();
    let packages: BTreeSet<_> =
        containerfile.stages().flat_map(|stage| containerfile.packages(stage)).collect();
    assert!(packages.contains("libavcodec59"), "{packages:?}");
    let unknown: Vec<_> = packages.iter().filter(|package| !knows(package)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
