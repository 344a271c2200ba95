//! The page's `html!`. It takes yew's syntax, and writes what yew's writes as code as data: one program
//! for each call, which `template.rs` of the page follows. An element is some 20 bytes then, not 300.
//!
//! [`node`] reads the syntax, [`program`] writes the program and what fills its holes. [`texts`] is apart from them: the page's words.

mod node;
mod program;
mod texts;

use proc_macro2::TokenStream;
use syn::parse::Parser as _;

/// Markup, in the part of yew's syntax that the page uses: elements with attributes, keys, refs and
/// listeners; texts; expressions in braces; `if`, `else`, `for`; fragments. A component is handed on to
/// yew's macro.
///
/// Attributes are given as yew takes them, with one difference: a value is set as what it is, so `class`
/// is a text like any other.
#[proc_macro]
pub fn html(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    expand(input.into()).into()
}

/// The methods of a type of languages, one for each key of a table of texts: `texts!(Language,
/// "locales/page.lrc")`, the file from where the package's manifest stands.
#[proc_macro]
pub fn texts(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let texts = syn::parse::<texts::Texts>(input).and_then(|texts| texts.write());
    texts.unwrap_or_else(|error| error.to_compile_error()).into()
}

fn expand(input: TokenStream) -> TokenStream {
    match node::nodes.parse2(input) {
        Ok(nodes) => program::write(&nodes),
        Err(error) => error.to_compile_error(),
    }
}
