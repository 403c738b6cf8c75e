//! The ONNX Runtime library, loaded at run time so that one binary serves machines with and without a GPU.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::{EngineError, arena, failed};

/// The loaded library. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
}

/// The library allows one environment in a process, for good, and it must outlive every session.
static LOADED: Mutex<Option<(PathBuf, Environment)>> = Mutex::new(None);

impl Runtime {
    /// Loads the shared library from its file. A second call gives the same runtime; one that names another file
    /// fails, because a process can't unload the first.
    pub fn load(library: &Path) -> Result<Self, EngineError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((path, environment)) = loaded.as_ref() {
            return if path == library {
                Ok(Self { environment: environment.clone() })
            } else {
                Err(failed(format!("another runtime is already loaded from {}", path.display())))
            };
        }
        let environment = ort::init_from(library)
            .map_err(|error| failed(format!("can't load {}: {error}", library.display())))?
            .with_name("countersign")
            .with_telemetry(false)
            .build()
            .map_err(failed)?;
        environment.set_log_level(LogLevel::Warning);
        arena::share(&environment)?;
        *loaded = Some((library.to_owned(), environment.clone()));
        Ok(Self { environment })
    }

    pub(super) fn environment(&self) -> &Environment {
        &self.environment
    }
}
