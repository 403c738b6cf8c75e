//! Logs, spans and metrics: how they start, and the one place that names a metric.
