//! `GET /docs`: the document as a page to read and to try. Nothing of it comes from elsewhere.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use countersign_shared::domain::ProblemCode;

use super::fixed::Fixed;
use crate::problem::Problem;

/// A key is typed into this page: it runs no script but its own, speaks to nobody but this server, and is framed by
/// nobody. The pictures within the style sheet are `data:` URLs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const PROTECTION: [(HeaderName, &str); 3] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "no-referrer"),
];

static PAGE: LazyLock<Fixed> = LazyLock::new(|| own("text/html; charset=utf-8", include_str!("page.html")));

/// What the page loads, by name.
static FILES: LazyLock<[(&str, Option<Fixed>); 4]> = LazyLock::new(|| {
    [
        ("start.js", Some(own("text/javascript; charset=utf-8", include_str!("start.js")))),
        ("page.css", Some(own("text/css; charset=utf-8", include_str!("page.css")))),
        ("swagger-ui-bundle.js", vendored("swagger-ui-bundle.js", "text/javascript; charset=utf-8")),
        ("swagger-ui.css", vendored("swagger-ui.css", "text/css; charset=utf-8")),
    ]
});

/// This document as a page to read and to try.
#[utoipa::path(
    get,
    path = "/docs",
    operation_id = "get_docs",
    tag = "service",
    responses(
        (
            status = 200,
            description = "The page.",
            body = String,
            content_type = "text/html; charset=utf-8",
            headers(("ETag")),
            example = json!("<!doctype html>"),
        ),
        (status = 304, description = "The client has it: `If-None-Match` named its `ETag`.", headers(("ETag"))),
    ),
)]
pub(super) async fn handle(request: HttpRequest) -> HttpResponse {
    protected(PAGE.answer(&request))
}

/// One of the files that the page loads.
pub(super) async fn file(request: HttpRequest, name: Path<String>) -> Result<HttpResponse, Problem> {
    let found = FILES.iter().find(|(known, _)| *known == name.as_str()).and_then(|(_, file)| file.as_ref());
    let file = found.ok_or_else(|| Problem::new(ProblemCode::NotFound, "the page has no such file"))?;
    Ok(protected(file.answer(&request)))
}

fn protected(mut response: HttpResponse) -> HttpResponse {
    for (name, value) in PROTECTION {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

fn own(content_type: &'static str, text: &'static str) -> Fixed {
    Fixed::new(content_type, Bytes::from_static(text.as_bytes()))
}

/// A file of Swagger UI's distribution, which the binary holds.
fn vendored(name: &str, content_type: &'static str) -> Option<Fixed> {
    let file = utoipa_swagger_ui::serve(name, Arc::default()).ok().flatten()?;
    let fixed = Fixed::new(content_type, Bytes::from(file.bytes.into_owned()));
    Some(if file.gzpipped { fixed.gzipped() } else { fixed })
}

#[cfg(test)]
mod tests {
    use actix_web::body::MessageBody as _;
    use actix_web::http::header::CONTENT_ENCODING;
    use actix_web::test::TestRequest;

    use super::*;

    #[actix_web::test]
    async fn the_page_has_every_file_that_it_names() {
        let page = include_str!("page.html");
        let named = page.split("\"docs/").skip(1).filter_map(|rest| rest.split('"').next());
        let named: Vec<&str> = named.collect();
        assert_eq!(named.len(), FILES.len(), "{named:?}");
        for name in named {
            let request = TestRequest::get().to_http_request();
            let response = file(request, Path::from(name.to_owned())).await.expect("a file");
            let is_vendored = name.starts_with("swagger");
            assert_eq!(response.headers().contains_key(CONTENT_ENCODING), is_vendored, "{name}");
            assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY), "{name}");
            assert!(response.into_body().try_into_bytes().is_ok_and(|bytes| !bytes.is_empty()), "{name}");
        }
    }
}
