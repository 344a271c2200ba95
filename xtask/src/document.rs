//! `static/index.html`, one document for two ways to serve it: trunk reads its `data-trunk` links, and
//! the release page has them replaced by files with hashed names.

use anyhow::{Context, Result, bail};

/// The document, taken apart.
#[derive(Debug)]
pub(crate) struct Document {
    /// Everything but the `data-trunk` links.
    text: String,
    /// Style sheets, in their order; paths from the folder `static`.
    pub(crate) sheets: Vec<String>,
    /// The icon, likewise.
    pub(crate) icon: String,
}

impl Document {
    /// Takes a document apart; a `data-trunk` link stands on a line of its own.
    pub(crate) fn parse(source: &str) -> Result<Self> {
        let mut text = String::new();
        let (mut sheets, mut icon) = (Vec::new(), None);
        for line in source.lines() {
            if !line.contains("data-trunk") {
                text += line;
                text.push('\n');
                continue;
            }
            let href = || attribute(line, "href").with_context(|| format!("no href: {line}"));
            match attribute(line, "rel") {
                Some("css") => sheets.push(href()?.to_owned()),
                Some("icon") => icon = Some(href()?.to_owned()),
                Some("rust") => {}
                _ => bail!("a link that only trunk understands: {line}"),
            }
        }
        if !text.contains("</head>") {
            bail!("the document has no </head>");
        }
        Ok(Self { text, sheets, icon: icon.context("the document has no icon")? })
    }

    /// The document with more at the end of its head.
    pub(crate) fn with_head(&self, more: &str) -> String {
        self.text.replacen("</head>", &format!("{more}\n</head>"), 1)
    }
}

fn attribute<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let (_, rest) = line.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"<head>
<title>x</title>
<link data-trunk rel="rust" href="../frontend/Cargo.toml" data-wasm-opt="0">
<link data-trunk rel="css" href="css/a.css">
<link data-trunk rel="css" href="css/b.css">
<link data-trunk rel="icon" href="icon.svg">
</head>
"#;

    #[test]
    fn what_is_for_trunk_is_replaced() {
        let document = Document::parse(SOURCE).unwrap();
        assert_eq!(document.sheets, ["css/a.css", "css/b.css"]);
        assert_eq!(document.icon, "icon.svg");
        let text = document.with_head("<script>");
        assert_eq!(text, "<head>\n<title>x</title>\n<script>\n</head>\n");
    }

    #[test]
    fn a_link_that_would_be_lost_is_an_error() {
        let source = SOURCE.replace("rel=\"css\"", "rel=\"sass\"");
        assert!(Document::parse(&source).unwrap_err().to_string().contains("css/a.css"));
    }
}
