//! Requests in, answers out: who asks, what for, may they, which faults were asked for.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt as _, stream};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use jiff::Timestamp;
use serde_json::Value;

use super::Server;
use super::access::{self, Asked};
use super::faults::Wire;
use super::gzip::{Packed, Parts, pack};
use super::refusal::Refusal;
use super::route::{Format, Offer, Query, Route, Target, check_length};

/// The longest body that is read, as with kube-apiserver.
const LONGEST_BODY: usize = 3 << 20;

/// How many bytes of warnings an answer may have, as with kube-apiserver.
const WARNINGS: usize = 4 << 10;

/// The longest name of a client among those who have set fields, as with kube-apiserver.
pub(crate) const LONGEST_MANAGER: usize = 128;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes that go out as they are made.
pub(crate) type AnswerBody = UnsyncBoxBody<Bytes, io::Error>;

/// A request for objects, understood.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// Name of who asks.
    pub(crate) user: String,
    /// What the client is called among those who have set fields.
    pub(crate) manager: String,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) format: Format,
    /// `Content-Type`, without parameters.
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    pub(crate) now: Timestamp,
}

/// What is answered when nothing is refused.
pub(crate) enum Answer {
    Json(StatusCode, Bytes),
    /// In a format of its own.
    Typed(StatusCode, &'static str, Bytes),
    Text(StatusCode, Bytes),
    /// JSON that is made while it leaves: a list.
    Parts(Parts),
    /// JSON that comes when something happens: a watch.
    Pieces(Pieces),
    /// Plain text in pieces: a log that is followed.
    TextPieces(Pieces),
    /// With warnings for whoever reads it.
    Warned(Box<Self>, Vec<String>),
    /// With further headers.
    With(Box<Self>, Vec<(HeaderName, HeaderValue)>),
    /// Somebody else's, as it is.
    Passed(Response<AnswerBody>),
}

/// Pieces of an answer; an error cuts the connection.
pub(crate) type Pieces = stream::BoxStream<'static, io::Result<Bytes>>;

impl Answer {
    pub(crate) fn json(code: StatusCode, value: &Value) -> Self {
        Self::Json(code, value.to_string().into())
    }

    pub(crate) fn pieces(stream: impl Stream<Item = io::Result<Bytes>> + Send + 'static) -> Self {
        Self::Pieces(stream.boxed())
    }

    /// The same with a header more; a value that cannot stand in one is left out.
    pub(crate) fn with(self, name: HeaderName, value: &str) -> Self {
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else { return self };
        match self {
            Self::With(answer, mut headers) => {
                headers.push((name, value));
                Self::With(answer, headers)
            }
            answer => Self::With(Box::new(answer), vec![(name, value)]),
        }
    }

    /// With `Warning` headers, if there is anything to warn of.
    pub(crate) fn warned(self, warnings: Vec<String>) -> Self {
        if warnings.is_empty() { self } else { Self::Warned(Box::new(self), warnings) }
    }

    /// The answer on its way to a client that may be able to read gzip.
    fn response(self, gzip: bool) -> Response<AnswerBody> {
        let (code, media, packed) = match self {
            Self::Warned(answer, warnings) => {
                let mut response = answer.response(gzip);
                warn(&mut response, &warnings);
                return response;
            }
            Self::Json(code, bytes) => (code, "application/json", pack_whole(bytes, gzip)),
            Self::Typed(code, media, bytes) => (code, media, pack_whole(bytes, gzip)),
            Self::Text(code, bytes) => (code, "text/plain; charset=utf-8", Packed::Whole(bytes)),
            Self::Parts(parts) => (StatusCode::OK, "application/json", pack(parts, gzip)),
            Self::Passed(response) => return response,
            Self::Pieces(pieces) => return respond(StatusCode::OK, "application/json", in_pieces(pieces)),
            Self::TextPieces(pieces) => {
                return respond(StatusCode::OK, "text/plain; charset=utf-8", in_pieces(pieces));
            }
            Self::With(answer, headers) => {
                let mut response = answer.response(gzip);
                for (name, value) in headers {
                    response.headers_mut().append(name, value);
                }
                return response;
            }
        };
        match packed {
            Packed::Whole(bytes) => respond(code, media, whole(bytes)),
            Packed::Plain(parts) => respond(code, media, in_parts(parts)),
            Packed::Gzip(parts) => {
                let mut response = respond(code, media, in_parts(parts));
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
                response
            }
        }
    }
}

/// Adds `Warning` headers, as kubectl shows them.
fn warn(response: &mut Response<AnswerBody>, warnings: &[String]) {
    let mut left = WARNINGS;
    for warning in warnings {
        let text = warning.replace('\\', "\\\\").replace('"', "\\\"");
        left = left.saturating_sub(text.len());
        if left == 0 {
            return;
        }
        if let Ok(value) = HeaderValue::from_bytes(format!("299 - \"{text}\"").as_bytes()) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}

fn respond(code: StatusCode, media: &'static str, body: AnswerBody) -> Response<AnswerBody> {
    let mut response = Response::new(body);
    *response.status_mut() = code;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    response
}

fn pack_whole(bytes: Bytes, gzip: bool) -> Packed {
    if gzip { pack(Box::new(std::iter::once(bytes)), true) } else { Packed::Whole(bytes) }
}

impl Refusal {
    pub(crate) fn response(&self) -> Response<AnswerBody> {
        let answer = match self.page() {
            Some(text) => Answer::Text(self.code, Bytes::from_static(text.as_bytes())),
            None => Answer::json(self.code, &self.status()),
        };
        let mut response = answer.response(false);
        warn(&mut response, &self.warnings);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn whole(bytes: Bytes) -> AnswerBody {
    Full::new(bytes).map_err(|never| match never {}).boxed_unsync()
}

fn in_pieces(pieces: Pieces) -> AnswerBody {
    StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync()
}

fn in_parts(parts: Parts) -> AnswerBody {
    in_pieces(stream::iter(parts.map(Ok)).boxed())
}

/// Answers one request, which came over this connection.
pub(crate) async fn answer(server: Server, request: Request<Incoming>, wire: Wire) -> Response<AnswerBody> {
    let fault = server.faults().meet(request.method(), request.uri(), &wire);
    if let Some(response) = fault.before().await {
        return response;
    }
    let gzip = accepts_gzip(&request);
    let response = match understand(&server, request).await {
        Ok(answer) => answer.response(gzip),
        Err(refusal) => refusal.response(),
    };
    let mut response = fault.after(response);
    // The server's own clock, which need not be that of the machine.
    let date = server.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = HeaderValue::from_str(&date) {
        response.headers_mut().insert(header::DATE, date);
    }
    response
}

async fn understand(server: &Server, request: Request<Incoming>) -> Result<Answer, Refusal> {
    check_length(request.uri())?;
    let (head, body) = request.into_parts();
    let user = server.users().authenticate(&head.headers)?;
    let query = Query::parse(head.uri.query().unwrap_or_default());
    let asked = Asked::of(&head.method, head.uri.path(), &query);
    let user = access::impersonate(server, user, &head.headers, &asked)?;
    access::authorize(server, &user, &asked)?;
    if let Some(backend) = super::behind::of_path(server, head.uri.path()) {
        return Ok(Answer::Passed(backend.pass(Request::from_parts(head, body), &user).await));
    }
    let target = match Route::parse(head.uri.path())? {
        Route::Plain(path) => {
            return super::discovery::plain(server, &head.method, &path, &query, &head.headers);
        }
        Route::Review(review) => {
            let body = read(body).await?;
            return review.answer(server, &user, &head.method, &head.headers, &body);
        }
        Route::Discovery(parts) => {
            let offer = if parts.len() == 1 { Offer::Groups } else { Offer::Resources };
            let format = Format::choose(&head.headers, offer)?;
            return super::discovery::answer(server, &head.method, &parts, format);
        }
        Route::Objects(target) => target,
    };
    if let Some(exec) = super::exec::of_target(server, &target) {
        return super::exec::answer(server, &user, &target, &exec, Request::from_parts(head, body)).await;
    }
    let body = read(body).await?;
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type =
        content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_owned();
    let format = Format::choose(&head.headers, Offer::Objects)?;
    let method = head.method;
    let manager = manager(&query, &head.headers);
    let now = server.now();
    let call = Call { method, user: user.name, manager, target, query, format, content_type, body, now };
    super::table::check(&call)?;
    let deprecation = call.target.kind.deprecation(call.target.version);
    let warnings: Vec<String> = deprecation.map(str::to_owned).into_iter().collect();
    match dispatch(server, &call) {
        Ok(answer) => Ok(answer.warned(warnings)),
        Err(refusal) => Err(refusal.warned(warnings)),
    }
}

/// The name of a client among those who have set fields: what it says it is, or how its program is called.
fn manager(query: &Query, headers: &HeaderMap) -> String {
    if let Some(name) = query.get("fieldManager").filter(|name| !name.is_empty()) {
        return name.to_owned();
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    match agent.split('/').next().unwrap_or_default() {
        "" => "unknown".to_owned(),
        program => program.chars().take(LONGEST_MANAGER).collect(),
    }
}

/// The body, unless it is too long or does not come. One that says that it is too long is not read at all.
async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    use hyper::body::Body as _;
    if body.size_hint().lower() > LONGEST_BODY as u64 {
        return Err(Refusal::too_large(LONGEST_BODY));
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(why)) if why.is::<http_body_util::LengthLimitError>() => Err(Refusal::too_large(LONGEST_BODY)),
        Ok(Err(_)) => Err(Refusal::bad_request("the body ended too early")),
        Err(_) => Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "Timeout", "the body did not come in time")),
    }
}

/// To the code of the verb.
fn dispatch(server: &Server, call: &Call) -> Result<Answer, Refusal> {
    if call.target.subresource.is_some() {
        return super::subresource::answer(server, call);
    }
    let one = call.target.name.is_some();
    match (&call.method, one) {
        (&Method::GET | &Method::HEAD, true) => super::read::get(server, call),
        (&Method::GET | &Method::HEAD, false) if call.query.flag("watch") => {
            super::watch::answer(server, call)
        }
        (&Method::GET | &Method::HEAD, false) => super::read::list(server, call),
        (&Method::POST, false) => super::write::create(server, call),
        (&Method::PUT, true) => super::write::update(server, call),
        (&Method::PATCH, true) => super::write::patch(server, call),
        (&Method::DELETE, true) => super::delete::one(server, call),
        (&Method::DELETE, false) => super::delete::collection(server, call),
        (&Method::PUT | &Method::PATCH, false) if !call.target.kind.row().builtin => {
            Err(Refusal::bad_request("name must be provided"))
        }
        _ => Err(Refusal::method_not_allowed()),
    }
}

fn accepts_gzip(request: &Request<Incoming>) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.split(',').any(|one| one.trim().starts_with("gzip")))
}
