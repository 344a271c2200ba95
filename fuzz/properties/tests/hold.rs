//! The properties, for any bytes, for the seeds of the fuzz targets, and for what is nearly a seed.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{FileFailurePersistence, TestRunner};
use streamgram_properties::{ALL, Property};

/// Inputs of each kind for each property.
const CASES: u32 = 200;

fn fuzz() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a folder of fuzz")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|_| panic!("no {}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let files = files(&fuzz().join("corpus").join(name));
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Runs a property on inputs of a kind; the failure shows the smallest that it finds.
fn holds(property: Property, inputs: impl Strategy<Value = Vec<u8>>) {
    let failure_persistence = Some(Box::new(FileFailurePersistence::Off) as _);
    let config = ProptestConfig { cases: CASES, failure_persistence, ..ProptestConfig::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        property(&input);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}

/// A change somewhere in an input.
#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, u8),
    Insert(Index, u8),
    /// Also repeats: what stands at one place comes to another as well.
    Copy(Index, Index, usize),
    Remove(Index, usize),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<Index>(), select(b"0123456789-.eE\"{}[],:\\\n".as_slice()))
            .prop_map(|(at, byte)| Edit::Insert(at, byte)),
        (any::<(Index, Index)>(), 1..64_usize)
            .prop_map(|((from, to), length)| Edit::Copy(from, to, length)),
        (any::<Index>(), 1..16_usize).prop_map(|(at, length)| Edit::Remove(at, length)),
    ]
}

fn edited(mut input: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        let length = input.len();
        let place = |index: &Index| index.index(length + 1);
        match edit {
            Edit::Replace(at, byte) if length > 0 => input[at.index(length)] = *byte,
            Edit::Replace(..) => {}
            Edit::Insert(at, byte) => input.insert(place(at), *byte),
            Edit::Copy(from, to, bytes) => {
                let (from, to) = (place(from), place(to));
                let piece = input[from..length.min(from + bytes)].to_vec();
                input.splice(to..to, piece);
            }
            Edit::Remove(at, bytes) => {
                let from = place(at);
                input.drain(from..length.min(from + bytes));
            }
        }
    }
    input
}

#[test]
fn for_any_bytes() {
    for (_, property) in ALL {
        holds(property, any::<Vec<u8>>());
    }
}

#[test]
fn for_every_seed() {
    for (name, property) in ALL {
        let seeds = seeds(name);
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| property(seed));
    }
}

#[test]
fn for_what_is_nearly_a_seed() {
    for (name, property) in ALL {
        let inputs = (select(seeds(name)), prop::collection::vec(edit(), 1..6))
            .prop_map(|(seed, edits)| edited(seed, &edits));
        holds(property, inputs);
    }
}

#[test]
fn every_property_has_a_fuzz_target_and_seeds() {
    let properties = ALL.map(|(name, _)| name.to_owned());
    let stem = |path: &PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    for folder in ["fuzz_targets", "corpus"] {
        let there: BTreeSet<String> = files(&fuzz().join(folder)).iter().map(stem).collect();
        assert_eq!(there, properties.iter().cloned().collect(), "{folder}");
    }
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in &properties {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
    }
}
