//! Small work that outlives the request that caused it, and that a shutdown waits for.

use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

/// Runs on the process's runtime: that of an HTTP thread ends with its connections.
#[derive(Clone)]
pub(crate) struct Background {
    runtime: Handle,
    tasks: TaskTracker,
}

impl Background {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, tasks: TaskTracker::new() }
    }

    pub(crate) const fn runtime(&self) -> &Handle {
        &self.runtime
    }

    pub(crate) fn spawn<Work>(&self, work: Work) -> JoinHandle<Work::Output>
    where
        Work: Future<Output: Send> + Send + 'static,
    {
        self.tasks.spawn_on(work, &self.runtime)
    }

    /// Whether everything had finished within `limit`.
    pub(crate) async fn finish(&self, limit: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(limit, self.tasks.wait()).await.is_ok()
    }
}
