//! The page's `html!`. It takes yew's syntax, and writes what yew's writes as code as data: one program
//! for each call, which `template.rs` of the page follows. An element is some 20 bytes then, not 300.
//!
//! `node.rs` reads the syntax, `program.rs` writes the program and what fills its holes. Apart from them,
//! `texts.rs` has the page's words.

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

#[cfg(test)]
mod tests {
    use quote::quote;

    use super::*;

    /// The program of some markup, its operations as they are written in `program.rs`, and the calls.
    fn written(markup: TokenStream) -> String {
        let words = [r"\u{1}", r"\u{2}", r"\u{3}", r"\u{4}", r"\u{5}", r"\u{6}"];
        let names = ["<", "=", ";", "_", ".", ">"];
        let written = expand(markup).to_string().replace(' ', "");
        let written =
            words.iter().zip(names).fold(written, |text, (word, name)| text.replace(word, name));
        written.replace("crate::template::", "").replace("::std::option::Option::", "")
    }

    /// What a macro says of markup that it does not take, and the place where it says so.
    fn refused(markup: &str) -> (String, String) {
        let error = node::nodes.parse_str(markup).err().expect("an error");
        let at = error.span().source_text().unwrap_or_default();
        (error.to_string(), at)
    }

    #[test]
    fn what_does_not_change_is_the_program_and_what_does_are_calls() {
        assert_eq!(
            written(quote!(<p class="hint" {title}>{ "a" }{ b }</p>)),
            r#"Template::new("p<title_class=hint;a._>").set(title).put(b).done()"#
        );
    }

    #[test]
    fn what_is_no_attribute_comes_before_them_and_listeners_behind() {
        assert_eq!(
            written(
                quote!(<input onchange={c} disabled={d} max="9" novalidate=true open=false value="v" key={k} ref={r} />)
            ),
            r#"Template::new("input<___max=9;disabled_novalidate=novalidate;change_>")"#.to_owned()
                + ".value(\"v\").node_ref(r).key(k).flag(d)"
                + ".on(::yew::html::IntoEventCallback::<::yew::html::onchange::Event>::into_event_callback(c)).done()"
        );
    }

    #[test]
    fn branches_are_templates_of_their_own_and_one_that_is_missing_is_none() {
        assert_eq!(
            written(quote!(<b>if let Some(x) = y { <i /> }</b>)),
            r#"Template::new("b<_>").put((ifletSome(x)=y{Some(Template::new("i<>"))}else{None})).done()"#
        );
        assert_eq!(
            written(quote!(if a {
                "1"
            } else if b {
                "2"
            })),
            r#"(ifa{Template::new("1.")}else{(ifb{Template::new("2.")}else{Template::new("")})}).done()"#
        );
    }

    #[test]
    fn a_component_gets_a_literal_of_its_properties() {
        assert_eq!(
            written(quote!(<Card key={k} title="t" {link} />)),
            "{typeItsProps=<Cardas::yew::functional::FunctionProvider>::Properties;\
             crate::part::part::<Card>(ItsProps{title:::yew::html::IntoPropValue::into_prop_value(\"t\"),\
             link:::yew::html::IntoPropValue::into_prop_value(link),},Some(k.into()))}"
        );
    }

    #[test]
    fn what_is_not_taken_is_said_where_it_stands() {
        for (markup, said, at) in [
            ("<p><b></p>", "expected `</b>`", "p"),
            ("<p>", "`<p>` has no closing tag", "p"),
            ("</p>", "this closing tag has no opening tag", "<"),
            ("<br></br>", "`<br>` has no children: write `<br />`", "br"),
            ("<p a=\"1\" a=\"2\" />", "`a` stands here twice", "a"),
            ("<p a=1 />", "expected a text, a `bool`, or braces", "1"),
            ("<p defaultvalue=\"x\" />", "the page's `html!` does not have this", "defaultvalue"),
            ("<p>{}</p>", "there is nothing in these braces", "{"),
            ("<Card></Card>", "the page's components have no children", "Card"),
            (
                "text",
                "expected an element, a text, `if`, `for`, or an expression in braces",
                "text",
            ),
        ] {
            assert_eq!(refused(markup), (said.into(), at.into()), "{markup}");
        }
    }

    #[test]
    fn a_text_has_no_characters_of_the_program() {
        let written = written(quote!(<p>{ "\u{4}" }</p>));
        assert!(written.contains("compile_error!"), "{written}");
    }
}
