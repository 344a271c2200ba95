//! Builds what an `html!` says. Of each call there is a program, a text, and one call for each thing that
//! is filled in; all else is done here, once for the whole page. `markup/src/program.rs` writes programs.
//!
//! Nothing here is inlined, so that what is filled in costs a few bytes each time.

mod filling;

use std::borrow::Cow;
use std::cell::RefCell;
use std::mem;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use yew::prelude::*;
use yew::virtual_dom::{
    AttributeOrProperty, Attributes, Key, Listener, ListenerKind, VList, VNode, VTag, VText,
};

pub(crate) use self::filling::List;
use self::filling::{Child, Value};

// The operations of a program, as `markup/src/program.rs` describes them.
const OPEN: u8 = 1;
const NAME: u8 = 2;
const VALUE: u8 = 3;
const HOLE: u8 = 4;
const TEXT: u8 = 5;
const CLOSE: u8 = 6;

/// Markup that is being built: a program as far as it was followed. Each hole is filled by the call that is
/// made for it, in the program's order. Boxed, to be handed on from call to call as one word.
pub(crate) struct Template(Box<Building>);

struct Building {
    /// What is left of the program.
    program: &'static str,
    /// The innermost element that is open; the outermost of all has no tag, only children.
    inner: Open,
    around: Vec<Open>,
}

struct Open {
    tag: VTag,
    names: Vec<&'static str>,
    values: Vec<Option<AttributeOrProperty>>,
    children: Vec<VNode>,
}

thread_local! {
    /// The names that an element of the page has its attributes by, each list once: yew finds out by their
    /// address that an element has the same as before.
    static NAMES: RefCell<Vec<&'static [&'static str]>> = const { RefCell::new(Vec::new()) };
}

/// The one list that there is of these names.
fn known(names: Vec<&'static str>) -> &'static [&'static str] {
    NAMES.with_borrow_mut(|known| {
        known.iter().find(|known| **known == names).copied().unwrap_or_else(|| {
            // As many as there are kinds of elements in the program.
            let names = names.leak();
            known.push(names);
            names
        })
    })
}

impl Open {
    fn new(tag: &'static str) -> Self {
        let (names, values, children) = Default::default();
        Self { tag: VTag::new(tag), names, values, children }
    }

    fn close(self) -> VNode {
        let Self { mut tag, names, values, children } = self;
        if !names.is_empty() {
            tag.attributes = Attributes::Dynamic { keys: known(names), values: values.into() };
        }
        if let (Some(place), false) = (tag.children_mut(), children.is_empty()) {
            *place = together(children);
        }
        tag.into()
    }
}

impl Building {
    /// Follows the program as far as its next hole; what is said of that.
    fn advance(&mut self) -> &'static str {
        while let Some(at) = self.program.bytes().position(|byte| byte <= CLOSE) {
            let (about, rest) = self.program.split_at(at);
            self.program = &rest[1..];
            match rest.as_bytes()[0] {
                OPEN => {
                    let outer = mem::replace(&mut self.inner, Open::new(about));
                    self.around.push(outer);
                }
                NAME => self.inner.names.push(about),
                VALUE => self.inner.values.push(text(about).into()),
                HOLE => return about,
                TEXT => self.inner.children.push(VText::new(about).into()),
                _ => {
                    if let Some(outer) = self.around.pop() {
                        let closed = mem::replace(&mut self.inner, outer).close();
                        self.inner.children.push(closed);
                    }
                }
            }
        }
        ""
    }

    /// The attribute of the next hole.
    fn attribute(&mut self, value: impl FnOnce(&'static str) -> Option<AttributeOrProperty>) {
        let name = self.advance();
        self.inner.names.push(name);
        self.inner.values.push(value(name));
    }
}

impl Template {
    #[inline(never)]
    pub(crate) fn new(program: &'static str) -> Self {
        Self(Box::new(Building { program, inner: Open::new(""), around: Vec::new() }))
    }

    /// A child.
    #[inline(never)]
    pub(crate) fn put(mut self, child: impl Child) -> Self {
        self.0.advance();
        self.0.inner.children.push(child.node());
        self
    }

    /// The value of an attribute.
    #[inline(never)]
    pub(crate) fn set(mut self, value: impl Value) -> Self {
        self.0.attribute(|_| value.value().map(AttributeOrProperty::Attribute));
        self
    }

    /// An attribute that is there or not.
    #[inline(never)]
    pub(crate) fn flag(mut self, is_there: bool) -> Self {
        self.0.attribute(|name| is_there.then(|| text(name)));
        self
    }

    /// The value of a field, which a person can change.
    #[inline(never)]
    pub(crate) fn value(mut self, value: impl Value) -> Self {
        self.0.advance();
        self.0.inner.tag.set_value(value.value());
        self
    }

    /// Whether a box is ticked, which a person can change.
    #[inline(never)]
    pub(crate) fn checked(mut self, is_checked: bool) -> Self {
        self.0.advance();
        self.0.inner.tag.set_checked(is_checked);
        self
    }

    #[inline(never)]
    pub(crate) fn key(mut self, key: impl Into<Key>) -> Self {
        self.0.advance();
        self.0.inner.tag.key = Some(key.into());
        self
    }

    #[inline(never)]
    pub(crate) fn node_ref(mut self, node_ref: NodeRef) -> Self {
        self.0.advance();
        self.0.inner.tag.node_ref = node_ref;
        self
    }

    /// What happens on an event; its name stands in the program.
    #[inline(never)]
    pub(crate) fn on<E: JsCast + 'static>(mut self, callback: Option<Callback<E>>) -> Self {
        let event = self.0.advance();
        if let Some(callback) = callback {
            self.0.inner.tag.add_listener(Rc::new(On { event, callback }));
        }
        self
    }

    #[inline(never)]
    pub(crate) fn done(mut self) -> Html {
        self.0.advance();
        together(self.0.inner.children)
    }
}

/// A value that does not change. Not `AttributeOrProperty::Static`: yew's server side leaves that out here.
fn text(value: &'static str) -> AttributeOrProperty {
    AttributeOrProperty::Attribute(AttrValue::Static(value))
}

/// One node of any number.
fn together(mut nodes: Vec<VNode>) -> VNode {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        last => {
            nodes.extend(last);
            VList::from(nodes).into()
        }
    }
}

/// A listener to events of one name.
struct On<E> {
    event: &'static str,
    callback: Callback<E>,
}

impl<E: JsCast + 'static> Listener for On<E> {
    fn kind(&self) -> ListenerKind {
        ListenerKind::other(Cow::Borrowed(self.event))
    }

    fn handle(&self, event: web_sys::Event) {
        self.callback.emit(event.unchecked_into());
    }

    fn passive(&self) -> bool {
        // As yew has it: what must not hold up a scroll.
        matches!(self.event, "scroll" | "touchmove" | "touchstart")
    }
}

/// A node of its own.
#[inline(never)]
pub(crate) fn node(child: impl Child) -> Html {
    child.node()
}

#[cfg(test)]
mod tests {
    use streamgram_markup::html;
    use yew::LocalServerRenderer;

    use super::*;

    #[derive(Properties, PartialEq)]
    struct ShownProps {
        html: Html,
        #[prop_or_default]
        shown: Option<Callback<()>>,
    }

    #[component]
    fn Shown(ShownProps { html, .. }: &ShownProps) -> Html {
        html.clone()
    }

    async fn rendered(html: Html) -> String {
        let props = ShownProps { html, shown: None };
        LocalServerRenderer::<Shown>::with_props(props).hydratable(false).render().await
    }

    /// What there is to build from: values that are there and are not.
    struct Given {
        name: String,
        some: Option<&'static str>,
        none: Option<String>,
        yes: bool,
        no: bool,
    }

    fn given() -> Given {
        Given { name: "<n>".into(), some: Some("s"), none: None, yes: true, no: false }
    }

    #[tokio::test]
    async fn elements_are_those_of_yew() {
        /// Renders markup written by both macros.
        macro_rules! both {
            ($($markup:tt)*) => {
                [rendered(html! { $($markup)* }).await, rendered(yew::html! { $($markup)* }).await]
            };
        }
        let Given { name, some, none, yes, no } = &given();
        let title = "t";
        let [ours, yews] = both! {
            <section class="a b" {title} data-a={name.clone()} aria-label={*some} data-none={none.clone()}>
                <input type="text" value={name.clone()} checked={*yes} disabled={*no} readonly=true />
                <textarea value="typed" rows="2" hidden={*yes} />
                <option value={*some} selected=false></option>
                <b class={some.filter(|_| *no)} /><svg viewBox="0 0 1 1"><path d="M0 0" /></svg>
            </section>
        };
        assert_eq!(ours, yews);
        assert!(ours.contains("&lt;n") && !ours.contains("data-none"), "{ours}");

        let pairs = [(1, "one"), (2, "two")];
        let [ours, yews] = both! {
            <>
                <p>{ "in braces" }{ " " }{ name }{ *some }{ none.clone() }</p>
                if *yes { <i>{ "then" }</i>{ " and " } } else { { "otherwise" } }
                if *no { <i /> } else if let Some(some) = some { <u>{ *some }</u> } else { <s /> }
                if *no { <i /> }
                <ul>
                    for (number, word) in pairs {
                        <li key={number}>{ word }</li>
                        if number == 1 { <hr /> }
                    }
                </ul>
                for _ in [(); 0] { <i /> }
                <></>
                { if *yes { "a value" } else { "" } }
            </>
        };
        assert_eq!(ours, yews);
    }

    #[tokio::test]
    async fn a_component_gets_what_it_is_given() {
        let html = html! { <b /> };
        let shown = html! { <Shown {html} shown={|()| ()} /> };
        assert_eq!(rendered(shown).await, "<b></b>");
    }

    #[test]
    fn nothing_and_one_node_are_no_lists_of_it() {
        assert_eq!(html! {}, Html::default());
        assert!(matches!(html! { <b /> }, VNode::VTag(_)));
        assert!(matches!(html! { "text" }, VNode::VText(_)));
        // One that may be more, later, is a list at once: else its element would be made anew then.
        assert!(matches!(html! { for _ in 0..1 { <b /> } }, VNode::VList(_)));
    }

    #[test]
    fn an_element_is_drawn_anew_with_the_same_names() {
        let names = |html: Html| match html {
            VNode::VTag(tag) => match tag.attributes {
                Attributes::Dynamic { keys, .. } => keys,
                _ => &[],
            },
            _ => &[],
        };
        let draw = |title: String| names(html! { <b class="x" {title} /> });
        assert_eq!(draw("one".into()), ["title", "class"]);
        assert!(std::ptr::eq(draw("one".into()), draw("two".into())));
    }

    #[test]
    fn keys_listeners_and_references_are_the_element_s() {
        let at = NodeRef::default();
        let html = html! { <b key="k" ref={at.clone()} onclick={|_| ()} onscroll={None::<Callback<Event>>} /> };
        let VNode::VTag(tag) = html else { panic!("{html:?}") };
        assert_eq!((tag.key.as_deref(), &tag.node_ref), (Some("k"), &at));
        assert!(format!("{tag:?}").contains("kind: click"), "{tag:?}");
    }
}
