//! What stands in an `html!`: read from its tokens, refused where the page has no use for it.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned as _;
use syn::{Block, Error, Expr, Ident, Lit, LitStr, Pat, Result, Stmt, Token, braced, token};

/// Elements without an end of their own, which have no children.
const VOID: [&str; 15] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "textarea", "track", "wbr",
];

/// A piece of markup.
pub(crate) enum Node {
    Element(Element),
    /// What stands there as it is.
    Text(LitStr),
    /// Something that becomes a node.
    Value(TokenStream),
    Component(Component),
    If(Box<If>),
    For(Box<For>),
    Fragment(Vec<Node>),
}

pub(crate) struct Element {
    pub(crate) tag: String,
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) children: Vec<Node>,
}

pub(crate) struct Component {
    pub(crate) name: Ident,
    pub(crate) properties: Vec<Attribute>,
}

pub(crate) struct Attribute {
    pub(crate) name: String,
    /// Where the name stands.
    pub(crate) span: Span,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    Text(LitStr),
    Flag(bool),
    Given(TokenStream),
}

pub(crate) struct If {
    pub(crate) condition: Expr,
    pub(crate) then: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

pub(crate) struct For {
    pub(crate) pattern: Pat,
    pub(crate) values: Expr,
    pub(crate) body: Vec<Node>,
}

/// All there is, up to the end of the braces.
pub(crate) fn nodes(input: ParseStream<'_>) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    while !input.is_empty() {
        nodes.push(input.parse()?);
    }
    Ok(nodes)
}

fn braced_nodes(input: ParseStream<'_>) -> Result<Vec<Node>> {
    let content;
    braced!(content in input);
    nodes(&content)
}

impl Parse for Node {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![<]) {
            return element(input);
        }
        if input.peek(Token![if]) {
            return input.parse().map(Box::new).map(Self::If);
        }
        if input.peek(Token![for]) {
            return input.parse().map(Box::new).map(Self::For);
        }
        if input.peek(token::Brace) {
            return value(input).map(|value| match value {
                Value::Text(text) => Self::Text(text),
                Value::Flag(flag) => Self::Value(flag.to_token_stream()),
                Value::Given(value) => Self::Value(value),
            });
        }
        if input.peek(LitStr) {
            return input.parse().map(Self::Text);
        }
        Err(input.error("expected an element, a text, `if`, `for`, or an expression in braces"))
    }
}

impl Parse for If {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse::<Token![if]>()?;
        let condition = Expr::parse_without_eager_brace(input)?;
        let then = braced_nodes(input)?;
        let otherwise = match input.parse::<Option<Token![else]>>()? {
            Some(_) if input.peek(Token![if]) => vec![Node::If(Box::new(input.parse()?))],
            Some(_) => braced_nodes(input)?,
            None => Vec::new(),
        };
        Ok(Self { condition, then, otherwise })
    }
}

impl Parse for For {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.parse::<Token![for]>()?;
        let pattern = Pat::parse_multi_with_leading_vert(input)?;
        input.parse::<Token![in]>()?;
        let values = Expr::parse_without_eager_brace(input)?;
        Ok(Self { pattern, values, body: braced_nodes(input)? })
    }
}

/// A fragment, a component or an element, whichever begins here.
fn element(input: ParseStream<'_>) -> Result<Node> {
    let open = input.parse::<Token![<]>()?;
    if input.peek(Token![/]) {
        return Err(Error::new(open.span(), "this closing tag has no opening tag"));
    }
    if input.parse::<Option<Token![>]>>()?.is_some() {
        let children = children(input, "", open.span())?;
        return Ok(Node::Fragment(children));
    }
    if input.peek(Ident)
        && input.fork().parse::<Ident>()?.to_string().starts_with(char::is_uppercase)
    {
        let name: Ident = input.parse()?;
        let (properties, is_closed) = attributes(input)?;
        if !is_closed {
            return Err(Error::new(name.span(), "the page's components have no children"));
        }
        return Ok(Node::Component(Component { name, properties }));
    }
    let (tag, span) = name(input)?;
    let (attributes, is_closed) = attributes(input)?;
    let children = match (is_closed, VOID.contains(&tag.as_str())) {
        (true, _) => Vec::new(),
        (false, true) => {
            return Err(Error::new(span, format!("`<{tag}>` has no children: write `<{tag} />`")));
        }
        (false, false) => children(input, &tag, span)?,
    };
    Ok(Node::Element(Element { tag, attributes, children }))
}

/// What stands before an end tag, and the end tag.
fn children(input: ParseStream<'_>, tag: &str, opened: Span) -> Result<Vec<Node>> {
    let mut children = Vec::new();
    while !(input.peek(Token![<]) && input.peek2(Token![/])) {
        if input.is_empty() {
            return Err(Error::new(opened, format!("`<{tag}>` has no closing tag")));
        }
        children.push(input.parse()?);
    }
    input.parse::<Token![<]>()?;
    input.parse::<Token![/]>()?;
    let span = input.span();
    let closed = if input.peek(Token![>]) { String::new() } else { name(input)?.0 };
    input.parse::<Token![>]>()?;
    if closed != tag {
        return Err(Error::new(span, format!("expected `</{tag}>`")));
    }
    Ok(children)
}

/// What stands in a tag behind its name, up to its end; whether that is `/>`.
fn attributes(input: ParseStream<'_>) -> Result<(Vec<Attribute>, bool)> {
    let mut attributes: Vec<Attribute> = Vec::new();
    while !input.peek(Token![>]) && !input.peek(Token![/]) {
        let next: Attribute = input.parse()?;
        if attributes.iter().any(|it| it.name == next.name) {
            return Err(Error::new(next.span, format!("`{}` stands here twice", next.name)));
        }
        attributes.push(next);
    }
    let is_closed = input.parse::<Option<Token![/]>>()?.is_some();
    input.parse::<Token![>]>()?;
    Ok((attributes, is_closed))
}

/// A name of a tag or an attribute, `aria-label`, and where it stands.
fn name(input: ParseStream<'_>) -> Result<(String, Span)> {
    let first = input.call(Ident::parse_any)?;
    let mut name = first.unraw().to_string();
    while input.parse::<Option<Token![-]>>()?.is_some() {
        name = format!("{name}-{}", input.call(Ident::parse_any)?);
    }
    Ok((name, first.span()))
}

impl Parse for Attribute {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(token::Brace) {
            let short;
            braced!(short in input);
            let of: Ident = short.parse()?;
            if !short.is_empty() {
                return Err(short.error("a name alone stands in braces here: `{onclick}`"));
            }
            let value = Value::Given(of.to_token_stream());
            return Ok(Self { name: of.unraw().to_string(), span: of.span(), value });
        }
        let (name, span) = name(input)?;
        if name == "defaultvalue" || input.peek(Token![?]) {
            return Err(Error::new(span, "the page's `html!` does not have this"));
        }
        input.parse::<Token![=]>()?;
        let value = match input.peek(token::Brace) {
            true => value(input)?,
            false => match input.parse()? {
                Lit::Str(text) => Value::Text(text),
                Lit::Bool(flag) => Value::Flag(flag.value),
                other => {
                    return Err(Error::new(other.span(), "expected a text, a `bool`, or braces"));
                }
            },
        };
        Ok(Self { name, span, value })
    }
}

/// What stands in braces; a text in them is the text.
fn value(input: ParseStream<'_>) -> Result<Value> {
    if input.fork().parse::<proc_macro2::Group>()?.stream().is_empty() {
        return Err(input.error("there is nothing in these braces"));
    }
    let block: Block = input.parse()?;
    Ok(match &block.stmts[..] {
        [Stmt::Expr(Expr::Lit(only), None)] => match &only.lit {
            Lit::Str(text) => Value::Text(text.clone()),
            Lit::Bool(flag) => Value::Flag(flag.value),
            other => Value::Given(other.to_token_stream()),
        },
        [Stmt::Expr(only, None)] => Value::Given(only.to_token_stream()),
        _ => Value::Given(block.to_token_stream()),
    })
}
