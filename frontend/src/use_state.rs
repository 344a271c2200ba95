//! Yew's `use_state`, `use_state_eq` and `use_effect_with`, with one copy of their code for the whole page:
//! yew's have one for each type and each closure, and the page has fifty.

use std::any::Any;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;

use yew::functional::TearDown;
use yew::prelude::*;

/// Whether two values are the same, which are of one type.
type Same = fn(&dyn Any, &dyn Any) -> bool;

/// A value of any type.
struct Kept {
    value: Rc<dyn Any>,
    same: Same,
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        (self.same)(&*self.value, &*other.value)
    }
}

impl Reducible for Kept {
    type Action = Rc<dyn Any>;

    fn reduce(self: Rc<Self>, value: Rc<dyn Any>) -> Rc<Self> {
        Rc::new(Self { value, same: self.same })
    }
}

fn same<T: PartialEq + 'static>(one: &dyn Any, other: &dyn Any) -> bool {
    one.downcast_ref::<T>() == other.downcast_ref::<T>()
}

/// A value that a component keeps. To set it draws the component again.
pub(crate) struct UseStateHandle<T> {
    kept: UseReducerHandle<Kept>,
    of: PhantomData<T>,
}

impl<T: 'static> UseStateHandle<T> {
    /// Sets the value.
    pub(crate) fn set(&self, value: T) {
        self.kept.dispatch(Rc::new(value));
    }

    /// What sets the value, without the value.
    pub(crate) fn setter(&self) -> UseStateSetter<T> {
        UseStateSetter { kept: self.kept.dispatcher(), of: PhantomData }
    }
}

impl<T> Clone for UseStateHandle<T> {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), of: PhantomData }
    }
}

impl<T: 'static> Deref for UseStateHandle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.kept.value.downcast_ref().expect("only values of this type are set")
    }
}

/// Sets a value that a component keeps.
pub(crate) struct UseStateSetter<T> {
    kept: UseReducerDispatcher<Kept>,
    of: PhantomData<T>,
}

impl<T: 'static> UseStateSetter<T> {
    /// Sets the value.
    pub(crate) fn set(&self, value: T) {
        self.kept.dispatch(Rc::new(value));
    }
}

impl<T> Clone for UseStateSetter<T> {
    fn clone(&self) -> Self {
        Self { kept: self.kept.clone(), of: PhantomData }
    }
}

/// Keeps a value from one drawing of a component to the next.
#[hook]
pub(crate) fn use_state<T: 'static>(first: impl FnOnce() -> T) -> UseStateHandle<T> {
    let kept = use_kept(Box::new(|| Rc::new(first())), |_, _| false);
    UseStateHandle { kept, of: PhantomData }
}

/// Keeps a value likewise; to set what it is already draws nothing.
#[hook]
pub(crate) fn use_state_eq<T: PartialEq + 'static>(first: impl FnOnce() -> T) -> UseStateHandle<T> {
    let kept = use_kept(Box::new(|| Rc::new(first())), same::<T>);
    UseStateHandle { kept, of: PhantomData }
}

#[hook]
fn use_kept(first: Box<dyn FnOnce() -> Rc<dyn Any> + 'hook>, same: Same) -> UseReducerHandle<Kept> {
    use_reducer_eq(move || Kept { value: first(), same })
}

/// Does something behind a drawing of a component, if this value is another than the last time.
#[hook]
pub(crate) fn use_effect_with<T: PartialEq + 'static, D: TearDown>(
    value: T,
    effect: impl FnOnce(&T) -> D + 'static,
) {
    use_effect_of(
        Kept { value: Rc::new(value), same: same::<T> },
        Box::new(|value| {
            let done = value.downcast_ref().map(effect);
            Box::new(|| done.map_or((), TearDown::tear_down))
        }),
    );
}

/// What undoes an effect.
type Undo = Box<dyn FnOnce()>;

/// An effect of a value.
type Effect = Box<dyn FnOnce(&dyn Any) -> Undo>;

#[hook]
fn use_effect_of(value: Kept, effect: Effect) {
    yew::use_effect_with(value, |value| effect(&*value.value));
}
