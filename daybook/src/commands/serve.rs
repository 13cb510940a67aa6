use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use http_kit::serve;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;

use super::demo;
use crate::{
    cli::Failure, config::Settings, data_dir::DataDir, embedded::Embedded, operations, shutdown, telemetry,
};

/// Start the services and serve until told to stop.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  daybook serve
  daybook serve --demo --data /var/lib/daybook
  daybook serve --listen 127.0.0.1:9000 --config daybook.toml")]
pub struct Serve {
    /// Serve the API here; goes over the setting `server.listen`. Port 0 takes a free one.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Serve health and metrics here; goes over the setting `server.operations_listen`.
    #[arg(long, value_name = "ADDR")]
    pub operations_listen: Option<String>,
    /// Which services run in this process.
    #[arg(long, value_enum, default_value = "all")]
    pub role: Role,
    /// Make the demo person and their household first, where they are not there yet.
    #[arg(long)]
    pub demo: bool,
}

/// With files as journal and read model, one process has all roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Role {
    All,
}

/// Set-up happens on this thread; serving on a runtime of its own.
pub fn run(serve: &Serve, settings: &Settings) -> Result<(), Failure> {
    let Role::All = serve.role;
    let metrics = telemetry::start(&settings.log)?;
    let data = DataDir::take(&settings.data.dir)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(serve_until_told(serve, settings, data, metrics))?;
    Ok(())
}

async fn serve_until_told(
    serve: &Serve,
    settings: &Settings,
    data: DataDir,
    metrics: PrometheusHandle,
) -> anyhow::Result<()> {
    let shutdown = shutdown::on_signals().context("listen for signals")?;
    let listener = bind("server.listen", &settings.server.listen).await?;
    let operations = bind("server.operations_listen", &settings.server.operations_listen).await?;
    let address = listener.local_addr()?;
    let operations_address = operations.local_addr()?;

    let embedded = Embedded::open(settings, data).await?;
    let readiness = Arc::clone(&embedded.readiness);
    let keeping_up = tokio::spawn(telemetry::keep_up(metrics.clone(), shutdown.clone()));
    let operations = tokio::spawn(serve::serve(
        operations,
        operations::router(readiness, metrics),
        settings.server.serve_limits(),
        shutdown.clone(),
    ));
    if serve.demo {
        demo::fill(&embedded, settings, &settings.data.dir).await?;
    }
    // Whoever started the process may wait for this line.
    println!("listening on http://{address}");
    println!("health and metrics on http://{operations_address}");
    if serve.demo {
        demo::tell_how_to_log_in(settings, &format!("http://{address}"));
    }
    embedded.serve(settings, listener, shutdown).await?;
    operations.await??;
    keeping_up.await?;
    Ok(())
}

async fn bind(key: &str, address: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("{key} = {address:?} cannot be listened on; free it, or name another one"))
}
