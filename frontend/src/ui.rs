//! Widgets without a meaning of their own.

pub(crate) mod bytes;
pub(crate) mod clipboard;
pub(crate) mod dialog;
pub(crate) mod select;
pub(crate) mod toggle_group;
pub(crate) mod use_details;

#[cfg(test)]
pub(crate) mod tests {
    use yew::{Html, LocalServerRenderer, Properties, component};

    #[derive(Properties, PartialEq)]
    struct ShownProps {
        html: Html,
    }

    #[component]
    fn Shown(props: &ShownProps) -> Html {
        props.html.clone()
    }

    /// What a browser would be sent.
    pub(crate) async fn rendered(html: Html) -> String {
        let shown = LocalServerRenderer::<Shown>::with_props(ShownProps { html });
        shown.hydratable(false).render().await
    }
}
