//! The one component that yew knows of, which shows every other. What yew does for a component, it does
//! with a copy of its code for each type; there are some thirty, so all of the page's go by this one.

use std::any::Any;
use std::rc::Rc;

use yew::functional::{FunctionComponent, FunctionProvider};
use yew::html::{BaseComponent, HtmlResult};
use yew::prelude::*;
use yew::virtual_dom::{Key, VChild};

/// A component with what it is given.
#[derive(Clone, Properties)]
pub(crate) struct PartProps {
    shown: Rc<dyn Show>,
}

impl PartialEq for PartProps {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.shown, &other.shown) || self.shown.equals(&*other.shown)
    }
}

/// What shows itself, with hooks.
trait Show {
    fn show(&self, hooks: &mut HookContext) -> HtmlResult;

    fn equals(&self, other: &dyn Show) -> bool;

    /// Itself, to tell its type.
    fn any(&self) -> &dyn Any;
}

struct Given<C: FunctionProvider>(C::Properties);

impl<C: FunctionProvider + 'static> Show for Given<C> {
    fn show(&self, hooks: &mut HookContext) -> HtmlResult {
        C::run(hooks, &self.0)
    }

    fn equals(&self, other: &dyn Show) -> bool {
        other.any().downcast_ref::<Self>().is_some_and(|other| self.0 == other.0)
    }

    fn any(&self) -> &dyn Any {
        self
    }
}

/// A component's place on the page, with its hooks.
pub(crate) struct Part {
    component: FunctionComponent<Self>,
}

impl FunctionProvider for Part {
    type Properties = PartProps;

    fn run(hooks: &mut HookContext, props: &PartProps) -> HtmlResult {
        props.shown.show(hooks)
    }
}

impl BaseComponent for Part {
    type Message = ();
    type Properties = PartProps;

    fn create(ctx: &Context<Self>) -> Self {
        Self { component: FunctionComponent::new(ctx) }
    }

    fn update(&mut self, _: &Context<Self>, (): ()) -> bool {
        true
    }

    fn changed(&mut self, ctx: &Context<Self>, old: &PartProps) -> bool {
        // Another component at the same place has hooks of its own.
        if ctx.props().shown.any().type_id() != old.shown.any().type_id() {
            self.component.destroy();
            self.component = FunctionComponent::new(ctx);
        }
        true
    }

    fn view(&self, ctx: &Context<Self>) -> HtmlResult {
        self.component.render(ctx.props())
    }

    fn rendered(&mut self, _: &Context<Self>, _: bool) {
        self.component.rendered();
    }

    fn destroy(&mut self, _: &Context<Self>) {
        self.component.destroy();
    }

    fn prepare_state(&self) -> Option<String> {
        self.component.prepare_state()
    }
}

/// A component with what it is given, as a node.
#[inline(never)]
pub(crate) fn part<C: FunctionProvider + 'static>(props: C::Properties, key: Option<Key>) -> Html {
    node(Rc::new(Given::<C>(props)), key)
}

#[inline(never)]
fn node(shown: Rc<dyn Show>, key: Option<Key>) -> Html {
    VChild::<Part>::new(PartProps { shown }, key).into()
}
