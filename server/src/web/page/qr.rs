//! A link as a QR code (ISO/IEC 18004), for telephones in the room. Only the page's own addresses, with a scenario or
//! a room's code behind them, are drawn: nobody can make this server draw anything else. A teacher's key is left out:
//! the code is on a wall.

use std::fmt::Write as _;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use qrcodegen::{QrCode, QrCodeEcc};
use streamgram_protocol::room::RoomLink;
use streamgram_protocol::scenario::MAX_QR_LINK;
use streamgram_protocol::{Limits, Scenario};

use super::lan;
use crate::web::http::visitor::Visitor;
use crate::web::state::Web;

/// Modules that must be white around a code.
const MARGIN: i32 = 4;

/// `GET /api/qr.svg?http://192.0.2.7:8000/%23v1&text=…`: a share link with its `#` as a percent code.
pub(crate) async fn draw(
    State(web): State<Web>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let query = query.unwrap_or_default();
    if query.len() > MAX_QR_LINK + 2 {
        let detail = format!("the link is {} bytes, the limit is {MAX_QR_LINK}\n", query.len());
        return (StatusCode::URI_TOO_LONG, detail).into_response();
    }
    let (address, fragment) = query.split_once("%23").unwrap_or((&query, ""));
    let host = visitor.host.as_ref().map_or("", |host| host.as_str());
    let is_own = ["http://", "https://"].iter().any(|scheme| {
        let path = address.strip_prefix(scheme).and_then(|rest| rest.strip_prefix(host));
        !host.is_empty() && path.is_some_and(is_folder)
    });
    if !is_own && !lan::addresses(web.addresses.http, &visitor).iter().any(|own| own == address) {
        return (StatusCode::NOT_FOUND, "that is no address of this page\n").into_response();
    }
    let link = match public(fragment, &web.bridge.limits) {
        Some(fragment) => format!("{address}#{fragment}"),
        None => address.to_owned(),
    };
    match QrCode::encode_text(&link, QrCodeEcc::Low) {
        Ok(code) => {
            let head = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")];
            (head, svg(&code)).into_response()
        }
        Err(too_long) => (StatusCode::URI_TOO_LONG, format!("{too_long}\n")).into_response(),
    }
}

/// What of a fragment everybody may see; none, if it is neither a room's nor a scenario's.
fn public(fragment: &str, limits: &Limits) -> Option<String> {
    if let Some(link) = RoomLink::decode(fragment) {
        return Some(RoomLink { key: None, ..link }.encode());
    }
    Some(Scenario::decode(fragment, limits).0?.encode())
}

/// Whether it can be the path of the page: `/`, or a folder in which a proxy shows it.
fn is_folder(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    path.starts_with('/') && path.ends_with('/') && path.bytes().all(is_plain)
}

/// Black on white whatever the colours of the page, because some readers cannot read the negative.
fn svg(code: &QrCode) -> String {
    let size = code.size() + 2 * MARGIN;
    let mut path = String::new();
    for y in 0..code.size() {
        for x in (0..code.size()).filter(|x| code.get_module(*x, y)) {
            // Writing to a String cannot fail.
            let _ok = write!(path, "M{} {}h1v1h-1z", x + MARGIN, y + MARGIN);
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {size} {size}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{size}v{size}H0z\"/>\
         <path d=\"{path}\"/></svg>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_s_code_is_drawn_and_its_key_is_not() {
        let public = |fragment: &str| public(fragment, &Limits::default());
        let room = Some("room=K7M4Q2XAB".to_owned());
        assert_eq!(public("room=k7m-4q2-xab"), room);
        assert_eq!(public(&format!("room=K7M4Q2XAB&key={}", "0".repeat(32))), room);
        assert_eq!(public("room=K7M4Q2XAB&key=0&next=javascript:alert(1)"), room);
        assert_eq!(public("v1&text=x"), Some("v1&text=x&to=both&count=1&every=0".into()));
        assert_eq!(["", "room=", "room=x", "javascript:alert(1)"].map(public), [const { None }; 4]);
    }
}
