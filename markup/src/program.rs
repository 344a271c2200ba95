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

/// Attributes that are there or not.
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
    quote!({ #errors crate::template::Template::new(#text) #calls })
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
        Node::If(If { condition, then, otherwise }) if otherwise.is_empty() => {
            let then = write_template(then);
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
        type Given = <#name as ::yew::functional::FunctionProvider>::Properties;
        crate::part::part::<#name>(Given { #fields }, #key)
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
        // What is not among the attributes, then them, then listeners: yew's order.
        let rank = |it: &Attribute| match it.name.as_str() {
            "value" | "checked" if is_field(tag) => 0,
            "ref" => 1,
            "key" => 2,
            name if FLAGS.contains(&name) => 4,
            "class" => 5,
            name if name.starts_with("on") => 6,
            _ => 3,
        };
        let mut ordered: Vec<_> = attributes.iter().collect();
        ordered.sort_by_key(|it| rank(it));
        self.operation(tag, OPEN);
        for attribute in ordered {
            self.attribute(attribute, rank(attribute));
        }
        children.iter().for_each(|child| self.node(child));
        self.operation("", CLOSE);
    }

    fn attribute(&mut self, attribute: &Attribute, rank: u8) {
        let Attribute { name, span, value } = attribute;
        match value {
            Value::Text(text) if (3..=5).contains(&rank) => {
                self.operation(name, NAME);
                return self.text(text, VALUE);
            }
            Value::Flag(false) if rank == 4 => return,
            Value::Flag(true) if rank == 4 => {
                self.operation(name, NAME);
                return self.operation(name, VALUE);
            }
            _ => {}
        }
        let given = attribute.given();
        let at = given.span();
        let call = match (rank, name.as_str()) {
            (0, "value") => quote!(value),
            (0, _) => quote!(checked),
            (1, _) => quote!(node_ref),
            (2, _) => quote!(key),
            (4, _) => quote!(flag),
            (6, _) => {
                let event = syn::Ident::new(name, *span);
                let callback = quote_spanned! {at=>
                    ::yew::html::IntoEventCallback::<::yew::html::#event::Event>::into_event_callback(#given)
                };
                return self.fill(&name[2..], quote_spanned!(at=> .on(#callback)));
            }
            _ => quote!(set),
        };
        let name = if rank < 3 { "" } else { name };
        self.fill(name, quote_spanned!(at=> .#call(#given)));
    }
}

/// Whether an element has a value of its own, which a person changes.
fn is_field(tag: &str) -> bool {
    matches!(tag, "input" | "textarea")
}
