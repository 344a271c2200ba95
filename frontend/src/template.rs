//! Builds what an `html!` says. Of each call there is a program, a text, and one call for each thing that
//! is filled in; all else is done here, once for the whole page. `markup/src/program.rs` writes programs.
//!
//! Nothing here is inlined, so that what is filled in costs a few bytes each time.

use std::borrow::Cow;
use std::cell::RefCell;
use std::mem;
use std::rc::Rc;

use wasm_bindgen::JsCast;
use yew::prelude::*;
use yew::virtual_dom::{
    AttributeOrProperty, Attributes, Key, Listener, ListenerKind, VList, VNode, VTag, VText,
};

/// Markup that is being built; boxed, to be handed on from call to call as one word.
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
        while let Some(at) = self.program.bytes().position(|byte| byte <= 6) {
            let (about, rest) = self.program.split_at(at);
            self.program = &rest[1..];
            match rest.as_bytes()[0] {
                1 => {
                    let outer = mem::replace(&mut self.inner, Open::new(about));
                    self.around.push(outer);
                }
                2 => self.inner.names.push(about),
                3 => self.inner.values.push(Some(AttributeOrProperty::Static(about))),
                4 => return about,
                5 => self.inner.children.push(VText::new(about).into()),
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
        self.0.attribute(|name| is_there.then_some(AttributeOrProperty::Static(name)));
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
        // As yew has it, for what only tells of a scroll.
        matches!(self.event, "scroll" | "touchmove" | "touchstart" | "wheel")
    }
}

/// What can stand among the children of an element.
pub(crate) trait Child {
    fn node(self) -> VNode;
}

impl Child for VNode {
    fn node(self) -> VNode {
        self
    }
}

impl Child for Template {
    fn node(self) -> VNode {
        self.done()
    }
}

impl Child for AttrValue {
    fn node(self) -> VNode {
        VText::new(self).into()
    }
}

impl Child for &AttrValue {
    fn node(self) -> VNode {
        self.clone().node()
    }
}

impl Child for &'static str {
    fn node(self) -> VNode {
        AttrValue::Static(self).node()
    }
}

impl Child for String {
    fn node(self) -> VNode {
        AttrValue::from(self).node()
    }
}

impl Child for &String {
    fn node(self) -> VNode {
        self.clone().node()
    }
}

impl<T: Child> Child for Option<T> {
    fn node(self) -> VNode {
        self.map_or_else(Html::default, Child::node)
    }
}

/// What a value of an attribute can be; none, and there is no such attribute.
pub(crate) trait Value {
    fn value(self) -> Option<AttrValue>;
}

impl Value for AttrValue {
    fn value(self) -> Option<AttrValue> {
        Some(self)
    }
}

impl Value for &'static str {
    fn value(self) -> Option<AttrValue> {
        Some(AttrValue::Static(self))
    }
}

impl Value for String {
    fn value(self) -> Option<AttrValue> {
        Some(self.into())
    }
}

impl<T: Value> Value for Option<T> {
    fn value(self) -> Option<AttrValue> {
        self.and_then(Value::value)
    }
}

/// Nodes of which nobody knows how many there are.
pub(crate) struct List(Vec<VNode>);

impl List {
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    #[inline(never)]
    pub(crate) fn add(&mut self, node: impl Child) {
        self.0.push(node.node());
    }
}

impl Child for List {
    fn node(self) -> VNode {
        VList::from(self.0).into()
    }
}

/// A node of its own.
#[inline(never)]
pub(crate) fn node(child: impl Child) -> Html {
    child.node()
}
