//! Who is who: sign-up, log-in, sessions and the access tokens that the other services verify with the public
//! keys published here. What a person may do in a book is not known here.

mod endpoints;

mod identity;
mod profile;

mod client;
mod passwords;
mod throttle;
mod tokens;

mod config;
pub mod keys;
mod store;

use std::sync::Arc;

use axum::Router;
use http_kit::{layers, problem_pages, serve};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

pub use crate::{
    config::{Config, ConfigError},
    identity::{Clock, Identity, IdentityError, Login, OpenError, Opening, ProfileChange, SignUp},
    profile::Profile,
    store::{Session, SessionId, Store, StoreError, User},
};

/// The routes of identity and their description, without the layers that [`layers::wrap`] adds once per listener.
pub fn router(identity: &Arc<Identity>) -> (Router, OpenApi) {
    endpoints::router(identity)
}

/// What [`router`] describes, for which nothing has to be running.
pub fn describe() -> OpenApi {
    endpoints::describe()
}

#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the listener of identity failed")]
    Serve(#[from] std::io::Error),
}

/// Runs identity as a service of its own until `shutdown`.
pub async fn run(config: Config, listener: TcpListener, shutdown: CancellationToken) -> Result<(), RunError> {
    let (requests, limits) = (config.requests, config.serve);
    let identity = Identity::open(config)?;
    let upkeep = {
        let (identity, shutdown) = (identity.clone(), shutdown.clone());
        tokio::spawn(async move { identity.upkeep(shutdown).await })
    };
    let (router, _) = router(&identity);
    let (explanations, _) = problem_pages::routes().finish(identity.access_keys(), ());
    let router = layers::wrap(router.merge(explanations), requests);
    serve::serve(listener, router, limits, shutdown.clone()).await?;
    shutdown.cancel();
    upkeep.await.map_err(std::io::Error::other)?;
    Ok(())
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    #[tokio::test]
    async fn the_service_runs_until_it_is_told_to_stop() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config {
            database: folder.path().join("identity.sqlite"),
            keys_dir: folder.path().join("keys"),
            ..Config::default()
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let service = tokio::spawn(run(config, listener, shutdown.clone()));
        for (path, expected) in [
            ("/.well-known/jwks.json", "HTTP/1.1 200 OK"),
            ("/problems/login_failed", "HTTP/1.1 200 OK"),
            ("/api/v1/me", "HTTP/1.1 401 Unauthorized"),
            ("/nowhere", "HTTP/1.1 404 Not Found"),
        ] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(expected), "{path}: {answer}");
        }
        shutdown.cancel();
        service.await.unwrap().unwrap();
    }

    #[test]
    fn a_wrong_setting_stops_the_start_before_anything_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let keys_dir = folder.path().join("keys");
        let config = Config { keys_dir: keys_dir.clone(), issuer: String::new(), ..Config::default() };
        assert!(matches!(Identity::open(config), Err(OpenError::Config(_))));
        assert!(!keys_dir.exists());
    }

    #[tokio::test]
    async fn every_operation_is_described() {
        let fixture = testing::Fixture::new();
        let api = serde_json::to_value(router(&fixture.identity).1).unwrap();
        let mut operations = Vec::new();
        for (path, item) in api["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                assert!(operation["responses"]["default"].is_object(), "{method} {path}");
                operations.push(format!("{method} {path}"));
            }
        }
        operations.sort();
        assert_eq!(
            operations,
            [
                "delete /api/v1/me/sessions/{session}",
                "get /.well-known/jwks.json",
                "get /api/v1/me",
                "get /api/v1/me/sessions",
                "patch /api/v1/me",
                "post /api/v1/auth/change-password",
                "post /api/v1/auth/log-in",
                "post /api/v1/auth/log-out",
                "post /api/v1/auth/log-out-everywhere",
                "post /api/v1/auth/refresh",
                "post /api/v1/auth/sign-up",
            ]
        );
    }

    #[test]
    fn secrets_are_not_printed() {
        let sign_up = SignUp {
            email: "a@x".to_owned(),
            password: "a secret password".into(),
            name: "A".to_owned(),
            locale: None,
            time_zone: None,
        };
        assert!(!format!("{sign_up:?}").contains("secret password"));
    }
}
