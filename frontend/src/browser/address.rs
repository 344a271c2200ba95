//! Where the page is.

/// The page's address up to the last slash: beside it are its files, the API and the WebSocket.
pub(crate) fn own_address() -> Option<String> {
    let location = web_sys::window()?.location();
    let path = location.pathname().ok()?;
    let (folder, _document) = path.rsplit_once('/')?;
    Some(format!("{}{folder}/", location.origin().ok()?))
}
