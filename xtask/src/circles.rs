//! Fails when the files of a crate, or its folders, use each other in a circle: a reader must be able to
//! take them one after the other.
//!
//! What counts as a use is every path in the source that leads to another file of the crate. Tests
//! do not count, and neither does `pub use`: a re-export hands on a name and uses nothing.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;
use syn::visit::{self, Visit};

use crate::site::files_below;

/// A module's path from the root of its crate, which is empty.
type Module = Vec<String>;

/// Looks for circles in the sources below a folder.
///
/// # Errors
/// Every circle, by the names of its modules.
pub(crate) fn check(sources: &Path) -> Result<()> {
    let uses = uses(sources)?;
    // Two siblings also form a circle if what lies below them does.
    let mut circles: BTreeSet<_> =
        circles(uses.iter().map(|(from, to)| (from.join("::"), to.join("::"))));
    for depth in 0..uses.iter().map(|(from, _)| from.len()).max().unwrap_or(0) {
        let siblings = uses.iter().filter_map(|(from, to)| {
            let (from, to) = (from.get(..=depth)?, to.get(..=depth)?);
            (from[..depth] == to[..depth] && from != to).then(|| (from.join("::"), to.join("::")))
        });
        circles.extend(self::circles(siblings));
    }
    if circles.is_empty() {
        return Ok(());
    }
    let circles: Vec<_> = circles.iter().map(|circle| circle.join(", ")).collect();
    bail!("in {} these use each other in a circle:\n  {}", sources.display(), circles.join("\n  "))
}

/// The modules of each circle, sorted.
fn circles(uses: impl Iterator<Item = (String, String)>) -> BTreeSet<Vec<String>> {
    let uses: Vec<_> = uses.collect();
    let graph: DiGraphMap<&str, ()> = uses.iter().map(|(from, to)| (&**from, &**to)).collect();
    let together = tarjan_scc(&graph).into_iter().filter(|modules| modules.len() > 1);
    let mut circles = BTreeSet::new();
    for modules in together {
        let mut names: Vec<_> = modules.into_iter().map(str::to_owned).collect();
        names.sort();
        circles.insert(names);
    }
    circles
}

/// Which module uses which, each pair once; the root of the crate is left out.
fn uses(sources: &Path) -> Result<BTreeSet<(Module, Module)>> {
    let mut files = Vec::new();
    for file in files_below(sources)? {
        if file.extension().is_some_and(|ending| ending == "rs") {
            let name = file.strip_prefix(sources)?.with_extension("");
            let module: Module =
                name.iter().map(|part| part.to_string_lossy().into_owned()).collect();
            if module.last().is_some_and(|name| name != "tests") {
                files.push((module, file));
            }
        }
    }
    let modules: BTreeSet<Module> = files.iter().map(|(module, _)| module.clone()).collect();
    let mut uses = BTreeSet::new();
    for (module, file) in files {
        let shown = file.display();
        let source = fs::read_to_string(&file).with_context(|| format!("cannot read {shown}"))?;
        let source = syn::parse_file(&source).with_context(|| format!("cannot parse {shown}"))?;
        let mut visitor = Paths { module: module.clone(), modules: &modules, used: Vec::new() };
        visitor.visit_file(&source);
        let others = visitor.used.into_iter().filter(|used| *used != module);
        uses.extend(others.map(|used| (module.clone(), used)));
    }
    uses.retain(|(from, _)| !matches!(from.join("/").as_str(), "main" | "lib"));
    Ok(uses)
}

/// Collects the modules that the paths of one file lead to.
struct Paths<'m> {
    module: Module,
    modules: &'m BTreeSet<Module>,
    used: Vec<Module>,
}

impl Paths<'_> {
    fn add(&mut self, path: &[String]) {
        let Some(first) = path.first() else { return };
        let mut absolute = self.module.clone();
        let mut rest = path;
        match first.as_str() {
            "crate" => {
                absolute.clear();
                rest = &path[1..];
            }
            "self" => rest = &path[1..],
            "super" => {}
            // Either a module below this one, or a name of another crate, which leads nowhere here.
            child => {
                absolute.push(child.to_owned());
                if !self.modules.contains(&absolute) {
                    return;
                }
                rest = &path[1..];
            }
        }
        for name in rest {
            if name == "super" {
                absolute.pop();
            } else {
                absolute.push(name.clone());
            }
        }
        while !absolute.is_empty() && !self.modules.contains(&absolute) {
            absolute.pop();
        }
        if !absolute.is_empty() {
            self.used.push(absolute);
        }
    }

    fn add_tree(&mut self, before: &mut Vec<String>, tree: &syn::UseTree) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.add_tree(before, &path.tree);
                before.pop();
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|tree| self.add_tree(before, tree));
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                before.push(ident.to_string());
                self.add(before);
                before.pop();
            }
            syn::UseTree::Glob(_) => self.add(before),
        }
    }
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if matches!(item.vis, syn::Visibility::Inherited) && !is_test(&item.attrs) {
            self.add_tree(&mut Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if names.len() > 1 {
            self.add(&names);
        }
        visit::visit_path(self, path);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(uses: &[(&str, &str)]) -> Vec<Vec<String>> {
        let uses = uses.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned()));
        circles(uses).into_iter().collect()
    }

    #[test]
    fn a_circle_is_found_and_a_chain_is_none() {
        assert_eq!(found(&[("a", "b"), ("b", "c"), ("a", "c")]), Vec::<Vec<String>>::new());
        assert_eq!(found(&[("c", "a"), ("a", "b"), ("b", "c"), ("d", "a")]), [["a", "b", "c"]]);
    }

    #[test]
    fn a_path_leads_to_the_nearest_file() {
        let modules = ["session", "session/leg", "session/leg/tcp", "web"]
            .map(|module| module.split('/').map(str::to_owned).collect::<Module>());
        let modules = BTreeSet::from(modules);
        let source = syn::parse_file(
            "use std::fmt; use super::super::Session; use crate::web::{Listener, self};
             pub use crate::web::Reexported;
             #[cfg(test)] mod tests { use crate::session::leg::Leg; }
             fn f() { crate::session::leg::tcp::open(); super::leg() }",
        )
        .unwrap();
        let module = vec!["session".into(), "leg".into(), "tcp".into()];
        let mut paths = Paths { module, modules: &modules, used: Vec::new() };
        paths.visit_file(&source);
        let used: Vec<_> = paths.used.iter().map(|module| module.join("/")).collect();
        assert_eq!(used, ["session", "web", "web", "session/leg/tcp", "session/leg"]);
    }
}
