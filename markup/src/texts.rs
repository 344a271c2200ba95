//! Reads the table of texts, and writes a method for each.
//!
//! All texts of a language are one, a line for each key, and a method names the line: no address of a text
//! stands anywhere, which is what compresses worst. A text with parameters stays one text too, with a
//! character for each of them, U+0001 for the first.

use std::path::Path;
use std::{env, fs};

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, LitStr, Result, Token};

/// The type that gets the methods, with a variant for each language, and the file.
pub(crate) struct Texts {
    languages: Ident,
    file: LitStr,
}

impl Parse for Texts {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let languages = input.parse()?;
        input.parse::<Token![,]>()?;
        Ok(Self { languages, file: input.parse()? })
    }
}

/// A key, and its text in each language.
struct Entry<'t> {
    key: &'t str,
    texts: Vec<(&'t str, &'t str)>,
}

/// Parameters that a text can have, as `language.rs` of the page knows them from its own characters.
const MOST: usize = 7;

/// A parameter: its name, and whether it is an element, `*{b}`, or a text, `%{n}`.
type Parameter = (String, bool);

impl Texts {
    pub(crate) fn write(&self) -> Result<TokenStream> {
        let (languages, file) = (&self.languages, &self.file);
        let fail = |why: String| Error::new(file.span(), why);
        let folder = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
        let path = Path::new(&folder).join(file.value());
        let table = fs::read_to_string(&path).map_err(|why| fail(why.to_string()))?;
        let entries = entries(&table).map_err(&fail)?;
        let mut tables: Vec<(&str, String)> = Vec::new();
        let mut methods = TokenStream::new();
        for (line, entry) in entries.iter().enumerate() {
            methods.extend(method(line, entry, &mut tables).map_err(&fail)?);
        }
        let (variants, tables): (Vec<_>, Vec<_>) =
            tables.iter().map(|(language, table)| (variant(language), table)).unzip();
        Ok(quote! {
            // Cargo then compiles anew when the table changes.
            const _: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", #file));
            impl #languages {
                /// All texts of this language, a line for each.
                fn texts(self) -> &'static str {
                    match self { #(Self::#variants => #tables),* }
                }

                #methods
            }
        })
    }
}

fn entries(table: &str) -> std::result::Result<Vec<Entry<'_>>, String> {
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for line in table.lines().map(str::trim) {
        if let Some(key) = line.strip_prefix('#') {
            let key = key.trim();
            if entries.iter().any(|entry| entry.key == key) {
                return Err(format!("the key {key} stands there twice"));
            }
            entries.push(Entry { key, texts: Vec::new() });
        } else if let (false, Some(entry)) =
            (line.is_empty() || line.starts_with(';'), entries.last_mut())
        {
            let (language, text) = line.split_once(' ').unwrap_or((line, ""));
            entry.texts.push((language, text.trim()));
        }
    }
    Ok(entries)
}

/// What gives the text of a line: `key`, and where something is put in `fill_key`, or `html_key` for
/// elements. The texts are added to those of their languages.
fn method<'t>(
    line: usize,
    Entry { key, texts }: &Entry<'t>,
    tables: &mut Vec<(&'t str, String)>,
) -> std::result::Result<TokenStream, String> {
    if line == 0 {
        tables.extend(texts.iter().map(|(language, _)| (*language, String::new())));
    }
    if !tables.iter().map(|(language, _)| language).eq(texts.iter().map(|(language, _)| language)) {
        return Err(format!("{key} has not the languages of the first text, in their order"));
    }
    let mut parameters = Vec::new();
    for ((_, table), (_, text)) in tables.iter_mut().zip(texts) {
        let text = with_places(text, &mut parameters).ok_or_else(|| {
            format!("{key}: a brace is not closed, or there are too many: {text}")
        })?;
        *table += &(text + "\n");
    }
    let text = quote!(*self.text(#line));
    if parameters.is_empty() {
        let name = format_ident!("{key}");
        return Ok(quote!(pub(crate) fn #name(self) -> &'static str { #text }));
    }
    let names: Vec<_> = parameters.iter().map(|(name, _)| format_ident!("{name}")).collect();
    if parameters.iter().all(|(_, is_element)| !is_element) {
        let name = format_ident!("fill_{key}");
        return Ok(quote! {
            pub(crate) fn #name(self, #(#names: &str),*) -> String {
                crate::i18n::language::fill(#text, &[#(#names),*])
            }
        });
    }
    let (types, nodes): (Vec<_>, Vec<_>) = parameters
        .iter()
        .zip(&names)
        .map(|((_, is_element), name)| match is_element {
            true => (quote!(::yew::Html), quote!(#name)),
            false => (quote!(&str), quote!(crate::template::node(#name.to_owned()))),
        })
        .unzip();
    let name = format_ident!("html_{key}");
    Ok(quote! {
        pub(crate) fn #name(self, #(#names: #types),*) -> ::yew::Html {
            crate::i18n::language::fill_html(#text, &[#(#nodes),*])
        }
    })
}

/// The variant of a language: `En` for `en`.
fn variant(language: &str) -> Ident {
    let (first, rest) = language.split_at(language.len().min(1));
    Ident::new(&format!("{}{rest}", first.to_uppercase()), Span::call_site())
}

/// A text with a character in place of each parameter; none if a brace is not closed, or with too many.
/// Parameters that are new are added.
fn with_places(text: &str, parameters: &mut Vec<Parameter>) -> Option<String> {
    let mut placed = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("%{").into_iter().chain(rest.find("*{")).min() {
        let (before, from) = rest.split_at(at);
        let (name, after) = from[2..].split_once('}')?;
        let parameter = (name.to_owned(), from.starts_with('*'));
        let place = parameters.iter().position(|it| *it == parameter).unwrap_or_else(|| {
            parameters.push(parameter);
            parameters.len() - 1
        });
        placed.push_str(before);
        placed.push(char::from(u8::try_from(place + 1).ok().filter(|_| place < MOST)?));
        rest = after;
    }
    Some(placed + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of each language, and the methods.
    fn written(table: &str) -> std::result::Result<(Vec<String>, String), String> {
        let mut tables = Vec::new();
        let mut methods = String::new();
        for (line, entry) in entries(table)?.iter().enumerate() {
            methods += &method(line, entry, &mut tables)?.to_string().replace(' ', "");
        }
        Ok((tables.into_iter().map(|(_, texts)| texts).collect(), methods))
    }

    #[test]
    fn parameters_have_the_order_of_the_first_language_in_every_one() {
        let (texts, methods) =
            written("; nouns\n#a\nen A\nzh B\n\n#b\nen %{x} of *{y}, %{x}\nzh *{y}: %{x}\n")
                .unwrap();
        assert_eq!(texts, ["A\n\u{1} of \u{2}, \u{1}\n", "B\n\u{2}: \u{1}\n"]);
        assert_eq!(
            methods,
            "pub(crate)fna(self)->&'staticstr{*self.text(0usize)}\
             pub(crate)fnhtml_b(self,x:&str,y:::yew::Html)->::yew::Html{\
             crate::i18n::language::fill_html(*self.text(1usize),&[crate::template::node(x.to_owned()),y])}"
        );
    }

    #[test]
    fn a_table_that_cannot_be_right_is_refused() {
        for (table, said) in [
            ("#a\nen A\n#a\nen B", "the key a stands there twice"),
            (
                "#a\nen A\nzh B\n#b\nen C",
                "b has not the languages of the first text, in their order",
            ),
            ("#a\nen %{x", "a: a brace is not closed, or there are too many: %{x"),
        ] {
            assert_eq!(written(table).unwrap_err(), said);
        }
    }
}
