//! Writes the program of some markup, and the calls that fill its holes.
//!
//! A program is a text: what an operation is about, and behind it the operation, a character that no
//! other text may have. `<p class="hint">{ text }</p>` is `p OPEN class NAME hint VALUE HOLE CLOSE`, and
//! `.put(text)`.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, LitStr};

use crate::node::{Attribute, Component, Element, For, If, Node, Value};

/// An element begins.
const OPEN: char = '\u{1}';
/// The name of an attribute, whose value is next.
const NAME: char = '\u{2}';
/// The value.
const VALUE: char = '\u{3}';
/// Something is filled in: a child, or behind its name what an element has.
const HOLE: char = '\u{4}';
/// A text.
const TEXT: char = '\u{5}';
/// An element ends.
const CLOSE: char = '\u{6}';

/// Attributes that are there or not, of those that the page might use.
const FLAGS: [&str; 10] = [
    "autofocus",
    "disabled",
    "hidden",
    "inert",
    "multiple",
    "novalidate",
    "open",
    "readonly",
    "required",
    "selected",
];

/// What something in a tag is to its element, in the order in which yew evaluates them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// What a person changes: a value, or whether a box is ticked.
    Field,
    Ref,
    Key,
    Attribute,
    /// An attribute that is there or not.
    Flag,
    Class,
    Listener,
}

impl Role {
    fn of(name: &str, tag: &str) -> Self {
        match name {
            "value" | "checked" if matches!(tag, "input" | "textarea") => Self::Field,
            "ref" => Self::Ref,
            "key" => Self::Key,
            "class" => Self::Class,
            name if FLAGS.contains(&name) => Self::Flag,
            name if name.starts_with("on") => Self::Listener,
            _ => Self::Attribute,
        }
    }
}

/// What is known of a program so far.
#[derive(Default)]
struct Program {
    text: String,
    /// The calls that fill its holes, in their order.
    calls: TokenStream,
    errors: TokenStream,
}

/// An expression of these nodes together, of type `Html`.
pub(crate) fn write(nodes: &[Node]) -> TokenStream {
    match nodes {
        [Node::Component(component)] => write_component(component),
        [Node::Fragment(nodes)] => write(nodes),
        [Node::Value(value)] => quote_spanned!(value.span()=> crate::template::node(#value)),
        nodes => {
            let template = write_template(nodes);
            quote!(#template.done())
        }
    }
}

/// An expression of these nodes together, of type `Template`.
fn write_template(nodes: &[Node]) -> TokenStream {
    if let [Node::If(it)] = nodes {
        return write_if(it);
    }
    let mut program = Program::default();
    nodes.iter().for_each(|node| program.node(node));
    let Program { text, calls, errors } = program;
    let template = quote!(crate::template::Template::new(#text) #calls);
    if errors.is_empty() { template } else { quote!({ #errors #template }) }
}

fn write_if(If { condition, then, otherwise }: &If) -> TokenStream {
    let (then, otherwise) = (write_template(then), write_template(otherwise));
    quote!((if #condition { #then } else { #otherwise }))
}

fn write_for(For { pattern, values, body }: &For) -> TokenStream {
    let body = body.iter().map(child);
    // No name of the markup is this one.
    let list = syn::Ident::new("list", Span::mixed_site());
    quote! {{
        let mut #list = crate::template::List::new();
        for #pattern in #values { #(#list.add(#body);)* }
        #list
    }}
}

/// What becomes one child, of any type that can.
fn child(node: &Node) -> TokenStream {
    match node {
        Node::Value(value) => value.clone(),
        Node::For(it) => write_for(it),
        Node::Component(component) => write_component(component),
        // Without the other branch: a null, and no template that is empty.
        Node::If(it) if it.otherwise.is_empty() => {
            let (condition, then) = (&it.condition, write_template(&it.then));
            quote!((if #condition { ::std::option::Option::Some(#then) } else { ::std::option::Option::None }))
        }
        Node::If(_) | Node::Element(_) | Node::Text(_) | Node::Fragment(_) => {
            write_template(std::slice::from_ref(node))
        }
    }
}

fn write_component(Component { name, properties }: &Component) -> TokenStream {
    let mut key = quote!(::std::option::Option::None);
    let mut fields = TokenStream::new();
    for property in properties {
        let given = property.given();
        if property.name == "key" {
            key = quote_spanned!(given.span()=> ::std::option::Option::Some(#given.into()));
        } else {
            let field = syn::Ident::new(&property.name, property.span);
            fields.extend(quote_spanned! {given.span()=>
                #field: ::yew::html::IntoPropValue::into_prop_value(#given),
            });
        }
    }
    if fields.is_empty() {
        return quote_spanned! {name.span()=>
            crate::part::part::<#name>(::std::default::Default::default(), #key)
        };
    }
    // A literal takes the name of a type, not a way to it.
    quote_spanned! {name.span()=> {
        type ItsProps = <#name as ::yew::functional::FunctionProvider>::Properties;
        crate::part::part::<#name>(ItsProps { #fields }, #key)
    }}
}

impl Attribute {
    /// The value as an expression.
    fn given(&self) -> TokenStream {
        match &self.value {
            Value::Text(text) => quote!(#text),
            Value::Flag(flag) => quote!(#flag),
            Value::Given(value) => value.clone(),
        }
    }
}

impl Program {
    fn operation(&mut self, text: &str, operation: char) {
        self.text.push_str(text);
        self.text.push(operation);
    }

    fn text(&mut self, text: &LitStr, operation: char) {
        let value = text.value();
        if value.contains(|character| character <= CLOSE) {
            let error =
                Error::new(text.span(), "a text has none of the characters U+0000 to U+0006");
            self.errors.extend(error.to_compile_error());
        }
        self.operation(&value, operation);
    }

    fn fill(&mut self, text: &str, call: TokenStream) {
        self.operation(text, HOLE);
        self.calls.extend(call);
    }

    fn node(&mut self, node: &Node) {
        let child = match node {
            Node::Element(element) => return self.element(element),
            Node::Text(text) => return self.text(text, TEXT),
            Node::Fragment(nodes) => return nodes.iter().for_each(|node| self.node(node)),
            other => child(other),
        };
        self.fill("", quote_spanned!(child.span()=> .put(#child)));
    }

    fn element(&mut self, Element { tag, attributes, children }: &Element) {
        let role = |it: &Attribute| Role::of(&it.name, tag);
        let mut ordered: Vec<_> = attributes.iter().collect();
        ordered.sort_by_key(|it| role(it));
        self.operation(tag, OPEN);
        for attribute in ordered {
            self.attribute(attribute, role(attribute));
        }
        children.iter().for_each(|child| self.node(child));
        self.operation("", CLOSE);
    }

    fn attribute(&mut self, attribute: &Attribute, role: Role) {
        let Attribute { name, span, value } = attribute;
        match (role, value) {
            (Role::Attribute | Role::Class, Value::Text(text)) => {
                self.operation(name, NAME);
                return self.text(text, VALUE);
            }
            (Role::Flag, Value::Flag(false)) => return,
            (Role::Flag, Value::Flag(true)) => {
                self.operation(name, NAME);
                return self.operation(name, VALUE);
            }
            _ => {}
        }
        let given = attribute.given();
        let at = given.span();
        match role {
            Role::Field => {
                let field = syn::Ident::new(name, *span);
                self.fill("", quote_spanned!(at=> .#field(#given)));
            }
            Role::Ref => self.fill("", quote_spanned!(at=> .node_ref(#given))),
            Role::Key => self.fill("", quote_spanned!(at=> .key(#given))),
            Role::Attribute | Role::Class => self.fill(name, quote_spanned!(at=> .set(#given))),
            Role::Flag => self.fill(name, quote_spanned!(at=> .flag(#given))),
            Role::Listener => {
                let event = syn::Ident::new(name, *span);
                let callback = quote_spanned! {at=>
                    ::yew::html::IntoEventCallback::<::yew::html::#event::Event>::into_event_callback(#given)
                };
                self.fill(&name[2..], quote_spanned!(at=> .on(#callback)));
            }
        }
    }
}
