//! The embedded shape: every role in one process, SQLite files, no server to set up.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::Arc,
};

use anyhow::Context;
use async_trait::async_trait;
use axum::{
    Json, Router,
    http::header,
    response::{Html, IntoResponse},
    routing::get,
};
use command_api::{ApiState, Owners, Sources};
use domain::id::UserId;
use http_kit::{cursor::CursorKey, layers, problem_pages, serve};
use identity::Identity;
use journal::{Journal, KeyStore, sqlite::SqliteJournal};
use query_api::{QueryApi, clock::Clock, names::Names};
use read_model::{Progress, ReadModel};
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::{Info, OpenApi, OpenApiBuilder};

use crate::{config::Settings, data_dir::DataDir, layout::Layout, operations::Readiness};

/// Everything of one process, opened and at work; nothing is listened to yet.
pub struct Embedded {
    pub owners: Arc<Owners>,
    pub identity: Arc<Identity>,
    pub readiness: Arc<Readiness>,
    progress: Arc<Progress>,
    read_model: ReadModel,
    router: Router,
    /// Projector and upkeep; they end with the token they were started with.
    tasks: JoinSet<()>,
    stop_tasks: CancellationToken,
    /// Held until everything that writes has stopped.
    _data: DataDir,
}

impl Embedded {
    pub async fn open(settings: &Settings, data: DataDir) -> anyhow::Result<Self> {
        Self::open_over(settings, data, |journal| journal).await
    }

    /// Opens with something around the journal; tests put a faulty one there.
    pub async fn open_over(
        settings: &Settings,
        data: DataDir,
        around: impl FnOnce(Arc<dyn Journal>) -> Arc<dyn Journal>,
    ) -> anyhow::Result<Self> {
        let layout = Layout::of(data.path());
        let keys = Arc::new(KeyStore::open(&layout.keys).context("open the key store")?);
        let journal = SqliteJournal::open(&layout.journal, settings.journal.partitions, || {
            uuid::Uuid::now_v7().to_string()
        });
        let journal = around(Arc::new(journal.context("open the journal")?));

        let config = settings.command_api_in(&layout);
        let sources = Sources::system();
        let owners = {
            let (journal, keys, sources, config) =
                (Arc::clone(&journal), Arc::clone(&keys), sources.clone(), config.clone());
            tokio::task::spawn_blocking(move || Owners::start(journal, keys, sources, &config))
                .await?
                .context("take the partitions")?
        };
        let owners = Arc::new(owners);

        let read_model = {
            let data = layout.data.clone();
            let config = settings.read_model_config();
            tokio::task::spawn_blocking(move || ReadModel::open(&data, config)).await?
        }
        .context("open the read model")?;
        let progress = {
            let journal = Arc::clone(&journal);
            Progress::new(settings.journal.partitions, move |partition| {
                journal.head(partition).map(|position| position.0)
            })
        };
        let identity = Identity::open(settings.identity_in(&layout)).context("open the identity service")?;

        let stop_tasks = CancellationToken::new();
        let mut tasks = JoinSet::new();
        tasks.spawn(projector::run(
            Arc::clone(&journal),
            keys,
            read_model.clone(),
            Arc::clone(&progress),
            stop_tasks.clone(),
        ));
        tasks.spawn({
            let (identity, stop_tasks) = (Arc::clone(&identity), stop_tasks.clone());
            async move { identity.upkeep(stop_tasks).await }
        });

        let queries = QueryApi::new(
            settings.query_api,
            read_model.clone(),
            Arc::clone(&progress),
            Arc::new(NamesOf(Arc::clone(&identity))),
            Clock::system(),
            CursorKey::new(&secret(&layout.data.join("cursor.key")).context("open the key of cursors")?),
        );
        let access = identity.access_keys();
        let api = ApiState { owners: Arc::clone(&owners), sources, config: Arc::new(config) };
        let router = Router::new()
            .merge(command_api::router(api, Arc::clone(&access)).0)
            .merge(query_api::router().finish(Arc::clone(&access), Arc::new(queries)).0)
            .merge(identity::router(&identity).0)
            .merge(problem_pages::routes().finish(access, ()).0)
            .route("/openapi.json", get(|| async { Json(openapi()) }))
            .route("/", get(front_page));
        let seen = Arc::clone(&progress);
        let deciding = Arc::clone(&owners);
        let readiness = Readiness::new()
            .check("owners", move || match deciding.are_alive() {
                true => Ok(()),
                false => Err("a partition has lost the thread that decides for it; start again".to_owned()),
            })
            .check("projector", move || match seen.is_caught_up() {
                true => Ok(()),
                false => Err("it has not read the journal to its end yet".to_owned()),
            });
        Ok(Self {
            owners,
            identity,
            readiness: Arc::new(readiness),
            progress,
            read_model,
            router: layers::wrap(router, settings.server.request_limits()),
            tasks,
            stop_tasks,
            _data: data,
        })
    }

    /// Waits until queries see everything that has been written so far.
    pub async fn settled(&self) {
        let mut applied = self.progress.applied();
        while !self.progress.is_current() {
            if applied.changed().await.is_err() {
                return;
            }
        }
    }

    /// Serves until `shutdown`, then stops in order: no new requests, requests in flight, owners, projector.
    pub async fn serve(
        self,
        settings: &Settings,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        let served =
            serve::serve(listener, self.router.clone(), settings.server.serve_limits(), shutdown).await;
        self.stop().await?;
        served.context("serve requests")
    }

    /// Answers what is in line, saves what can be saved, and ends.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { owners, read_model, router, mut tasks, stop_tasks, _data: data, .. } = self;
        drop(router);
        tokio::task::spawn_blocking(move || owners.stop()).await?;
        stop_tasks.cancel();
        while let Some(ended) = tasks.join_next().await {
            ended.context("stop the background work")?;
        }
        read_model.sync().await.context("bring the read model to the disk")?;
        drop(data);
        Ok(())
    }
}

struct NamesOf(Arc<Identity>);

#[async_trait]
impl Names for NamesOf {
    async fn names(&self, users: &[UserId]) -> HashMap<UserId, String> {
        self.0.store.names(users).await.unwrap_or_else(|error| {
            tracing::warn!(error = %error, "the names of people cannot be read; answers go without them");
            HashMap::new()
        })
    }
}

/// The whole API of the embedded shape.
pub fn openapi() -> OpenApi {
    let mut api = OpenApiBuilder::new()
        .info(
            utoipa::openapi::InfoBuilder::from(Info::new("Daybook", env!("CARGO_PKG_VERSION")))
                .description(Some(
                    "A ledger for people's money. Writes are commands: each carries an Idempotency-Key, makes one \
                     version of its book, and answers it as ETag. Reads show the version they stand for. Amounts are \
                     decimal strings; errors are application/problem+json with a stable code, which \
                     /problems/{code} explains.",
                ))
                .license(Some(utoipa::openapi::License::new("Apache-2.0")))
                .build(),
        )
        .build();
    api.merge(identity::describe());
    api.merge(command_api::routes(&command_api::Config::default()).describe());
    api.merge(query_api::router().describe());
    api.merge(problem_pages::routes::<()>().describe());
    api
}

/// 32 random bytes in a file that only its owner can read, made where it is missing.
fn secret(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let bytes: [u8; 32] = rand::random();
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(&bytes)?;
            file.sync_all()?;
            Ok(bytes.to_vec())
        }
        read => read,
    }
}

async fn front_page() -> impl IntoResponse {
    let policy = "default-src 'none'; style-src 'unsafe-inline'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(include_str!("front_page.html")))
}
