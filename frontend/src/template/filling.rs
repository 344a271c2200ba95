//! What an `html!` can be filled with: children, and values of attributes.

use yew::prelude::*;
use yew::virtual_dom::{VList, VNode, VText};

use super::Template;

/// What can stand among the children of an element.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no node: a text, an `Html`, or an `Option` of one is"
)]
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
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no value of an attribute: a text is, or an `Option` of one"
)]
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
