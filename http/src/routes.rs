//! The table of a service's routes. Every route names who may call it; there is no way to add one that does not,
//! so a forgotten check is a route that does not compile rather than one that is open.

use std::{collections::HashSet, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
pub use domain::event::Role;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, Content, OpenApi, Ref, ResponseBuilder,
        extensions::Extensions,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt};

use crate::{
    access::AccessKeys,
    problem::{FieldError, Problem, ProblemDocument},
};

/// Where all routes of the API begin, except the few that other standards place.
pub const API_BASE: &str = "/api/v1";

const SECURITY_SCHEME: &str = "access_token";

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Anybody, without a login.
    Public,
    /// Anybody with a valid access token.
    LoggedIn,
    /// A member of the book in the path with at least this role. The token is checked here; the membership is
    /// checked where the members are known (the book's owner for writes, the read model for reads).
    Member(Role),
}

pub struct Routes<S> {
    base: &'static str,
    table: Vec<(Policy, UtoipaMethodRouter<S>)>,
}

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub fn new() -> Self {
        Self::at("")
    }

    /// All paths of this table stand below `base`.
    pub fn at(base: &'static str) -> Self {
        Self { base, table: Vec::new() }
    }

    /// Adds what `utoipa_axum::routes!(handler)` made of a handler.
    pub fn route(mut self, policy: Policy, routes: UtoipaMethodRouter<S>) -> Self {
        self.table.push((policy, routes));
        self
    }

    /// The router and its description. Two operations of one name would overwrite each other in the clients that
    /// are generated, so they are refused at start.
    pub fn finish(self, access: Arc<AccessKeys>, state: S) -> (Router, OpenApi) {
        let (router, api) = self.assemble(|policy, routes| match policy {
            Policy::Public => routes,
            Policy::LoggedIn | Policy::Member(_) => routes.map(|methods| {
                methods.route_layer(middleware::from_fn_with_state(access.clone(), require_login))
            }),
        });
        (router.with_state(state), api)
    }

    /// The description alone, for which nothing has to be running.
    pub fn describe(self) -> OpenApi {
        self.assemble(|_, routes| routes).1
    }

    fn assemble(
        self,
        protect: impl Fn(Policy, UtoipaMethodRouter<S>) -> UtoipaMethodRouter<S>,
    ) -> (Router<S>, OpenApi) {
        let mut router = OpenApiRouter::default();
        let mut operation_ids = HashSet::new();
        for (policy, (schemas, mut paths, methods)) in self.table {
            for item in paths.paths.values_mut() {
                for operation in operations_of(item) {
                    let operation_id = operation.operation_id.clone().unwrap_or_default();
                    assert!(operation_ids.insert(operation_id.clone()), "two operations {operation_id:?}");
                    document(policy, operation);
                }
            }
            router = router.routes(protect(policy, (schemas, paths, methods)));
        }
        let router = match self.base {
            "" => router,
            base => OpenApiRouter::default().nest(base, router),
        };
        let (router, mut api) = router.split_for_parts();
        document_problems(&mut api);
        (router, api)
    }
}

impl<S: Clone + Send + Sync + 'static> Default for Routes<S> {
    fn default() -> Self {
        Self::new()
    }
}

async fn require_login(
    State(access): State<Arc<AccessKeys>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = access.caller_of(request.headers())?;
    request.extensions_mut().insert(Arc::new(caller));
    Ok(next.run(request).await)
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn document(policy: Policy, operation: &mut Operation) {
    match policy {
        Policy::Public => operation.security = Some(vec![SecurityRequirement::default()]),
        Policy::LoggedIn | Policy::Member(_) => {
            let no_scopes: [&str; 0] = [];
            operation.security = Some(vec![SecurityRequirement::new(SECURITY_SCHEME, no_scopes)]);
        }
    }
    if let Policy::Member(role) = policy {
        operation
            .extensions
            .get_or_insert_default()
            .merge(Extensions::from_iter([("x-daybook-role", role.as_str())]));
    }
    let problem = Content::builder().schema(Some(Ref::from_schema_name(ProblemDocument::name()))).build();
    let refusal = ResponseBuilder::new()
        .description("A refusal; `code` says which.")
        .content("application/problem+json", problem)
        .build();
    operation.responses.responses.insert("default".to_owned(), refusal.into());
}

fn document_problems(api: &mut OpenApi) {
    let components = api.components.get_or_insert(Components::new());
    components.schemas.insert(ProblemDocument::name().into_owned(), ProblemDocument::schema());
    components.schemas.insert(FieldError::name().into_owned(), FieldError::schema());
    components.add_security_scheme(
        SECURITY_SCHEME,
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{access::Caller, testing};
    use axum::body::Body;
    use domain::id::UserId;
    use http::{Method, header};
    use tower::ServiceExt;
    use utoipa_axum::routes;
    use uuid::Uuid;

    #[utoipa::path(get, path = "/open", responses((status = 200)))]
    async fn open() {}

    #[utoipa::path(get, path = "/book/{id}", responses((status = 200, body = String)))]
    async fn read_book(caller: Caller) -> String {
        caller.user.to_string()
    }

    #[utoipa::path(delete, path = "/book/{id}", responses((status = 204)))]
    async fn remove_book(_: Caller) {}

    #[utoipa::path(get, path = "/mistake", responses((status = 200)))]
    async fn mistaken(_: Caller) {}

    fn table() -> (Router, OpenApi) {
        Routes::at(API_BASE)
            .route(Policy::Public, routes!(open))
            .route(Policy::LoggedIn, routes!(read_book))
            .route(Policy::Member(Role::Owner), routes!(remove_book))
            .route(Policy::Public, routes!(mistaken))
            .finish(testing::access_keys(), ())
    }

    async fn status(method: Method, path: &str, token: Option<String>) -> u16 {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        table().0.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
    }

    #[tokio::test]
    async fn a_route_asks_for_what_its_policy_says() {
        let token = || Some(testing::token(UserId::from_uuid(Uuid::from_u128(7))));
        assert_eq!(status(Method::GET, "/api/v1/open", None).await, 200);
        assert_eq!(status(Method::GET, "/open", None).await, 404);
        assert_eq!(status(Method::GET, "/api/v1/book/1", None).await, 401);
        assert_eq!(status(Method::GET, "/api/v1/book/1", token()).await, 200);
        assert_eq!(status(Method::DELETE, "/api/v1/book/1", None).await, 401);
        assert_eq!(status(Method::DELETE, "/api/v1/book/1", token()).await, 200);
        // What no route serves is not hidden behind a login.
        assert_eq!(status(Method::PUT, "/api/v1/book/1", None).await, 405);
    }

    #[tokio::test]
    async fn a_public_handler_never_gets_a_caller_by_mistake() {
        assert_eq!(status(Method::GET, "/api/v1/mistake", None).await, 500);
    }

    #[test]
    fn the_description_says_who_may_call_and_how_it_refuses() {
        let api = serde_json::to_value(table().1).unwrap();
        let remove = &api["paths"]["/api/v1/book/{id}"]["delete"];
        assert_eq!(remove["x-daybook-role"], "owner");
        assert_eq!(remove["security"], serde_json::json!([{"access_token": []}]));
        let refusal = &remove["responses"]["default"]["content"]["application/problem+json"];
        assert_eq!(refusal["schema"]["$ref"], "#/components/schemas/Problem");
        assert_eq!(api["paths"]["/api/v1/open"]["get"]["security"], serde_json::json!([{}]));
        assert_eq!(api["components"]["securitySchemes"]["access_token"]["scheme"], "bearer");
        assert!(api["components"]["schemas"]["Problem"]["properties"]["code"].is_object());
    }

    #[test]
    #[should_panic(expected = "two operations \"open\"")]
    fn two_operations_of_one_name_do_not_start() {
        let twice =
            Routes::<()>::new().route(Policy::Public, routes!(open)).route(Policy::Public, routes!(open));
        let _ = twice.finish(testing::access_keys(), ());
    }
}
