use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

fn first(text: &str) -> Source {
    let source = Source::read(text.as_bytes());
    assert_eq!(source.problems, [], "{text}");
    source
}

#[test]
fn places_are_those_of_the_text() {
    let text = "kind: workload\nname: größe # 1\nspec:\n  containers:\n  - name: a\n    cpu: 2\n  - {name: b, cpu: '3'}\n  none:\n";
    let source = first(text);
    let root = source.documents[0].root();
    let spec = root.get("spec");
    let cases = [
        (root.get("name"), "größe", 2, 7),
        (spec.clone(), "spec", 3, 1),
        (spec.get("containers"), "containers", 4, 3),
        (spec.get("containers").item(0).unwrap(), "name", 5, 5),
        (spec.get("containers").item(0).unwrap().get("cpu"), "2", 6, 10),
        (spec.get("containers").item(1).unwrap().get("cpu"), "'3'", 7, 20),
        (spec.get("containers").item(1).unwrap(), "", 7, 5),
        (spec.get("none"), "none", 8, 3),
        (spec.get("none.more"), "none", 8, 3),
        (spec.get("missing.more"), "spec", 3, 1),
        (root.get("missing"), "kind", 1, 1),
    ];
    for (spot, word, line, column) in cases {
        let range = spot.range();
        assert_eq!(&text[range.clone()], word, "{spot:?}");
        assert_eq!(source.text.position(range.start), (line, column), "{spot:?}");
    }
}

#[test]
fn json_is_read_with_tabs_and_escapes() {
    let text = "{\n\t\"kind\": \"workload\",\n\t\"name\": \"\\ud83d\\ude00\\/\",\n\t\"n\": 1e3\n}\n";
    let source = first(text);
    let root = source.documents[0].root();
    assert_eq!(root.get("name").text(), Some("😀/"));
    assert_eq!(root.get("n").int(), Some(1000));
    assert_eq!(&text[root.get("name").key_range()], "\"name\"");
}

#[test]
fn every_document_is_read() {
    let source = first("# only a comment\n---\na: 1\n---\n---\nb: 2\n...\n---\nc: 3\n");
    let keys: Vec<String> = source
        .documents
        .iter()
        .flat_map(|document| document.root().entries().map(|(key, _)| key.to_owned()).collect::<Vec<_>>())
        .collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert!(source.documents.is_sorted_by_key(Document::number));
}

#[test]
fn aliases_and_merges_are_followed() {
    let source = first("d: &d {x: 1, z: 2}\ne: {<<: *d, z: 3}\nf: *d\n");
    let root = source.documents[0].root();
    assert_eq!(root.get("e").json(), serde_json::json!({"x": 1, "z": 3}));
    assert_eq!(root.get("f.x").path(), "f.x");
    assert!(root.get("f").same(&root.get("d")));
}

#[test]
fn what_cannot_be_read_is_one_sentence_with_its_place() {
    let bomb = (1..12).fold("a0: &a0 [x]\n".to_owned(), |text, at| {
        let before = vec![format!("*a{}", at - 1); 9].join(", ");
        format!("{text}a{at}: &a{at} [{before}]\n")
    });
    let deep_list = "[".repeat(100_000);
    let deep_map = (0..2000).fold(String::new(), |text, at| format!("{text}{:at$}a:\n", ""));
    let large = "a".repeat(LONGEST + 1);
    let cases: &[(&[u8], &str, u32)] = &[
        (b"a: 1\nb: 2\na: 3\n", "yaml-duplicate-key", 3),
        (b"a:\n\tb: 1\n", "yaml-tab", 2),
        (b"a: !thing 1\n", "yaml-tag", 1),
        (b"a: !!int x\n", "yaml-tag", 1),
        (b"a: *nobody\n", "yaml-syntax", 1),
        (b"a: &a [*a]\n", "yaml-alias", 1),
        (b"? [1]\n: 2\n", "yaml-key", 1),
        (b"a: [1\nb: 2\n", "yaml-syntax", 2),
        (b"a: 1\n\xff\n", "file-encoding", 2),
        (b"a: b: c\n", "yaml-syntax", 1),
        (bomb.as_bytes(), "yaml-alias", 6),
        (deep_list.as_bytes(), "yaml-syntax", 1),
        (deep_map.as_bytes(), "yaml-syntax", 256),
        (large.as_bytes(), "file-size", 1),
    ];
    for (bytes, rule, line) in cases {
        let began = Instant::now();
        let source = Source::read(bytes);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(60)]).into_owned();
        assert!(began.elapsed() < Duration::from_secs(20), "{shown}");
        let problem = source.problems.first().unwrap_or_else(|| panic!("{shown}: nothing found"));
        assert_eq!((problem.rule, problem.line), (*rule, *line), "{shown}: {}", problem.text);
        assert!(!problem.text.contains('\n') && problem.text.len() < 300, "{}", problem.text);
    }
    let many = build::read("a: [1, 2, 3, 4, 5]\n---\nb: 1\n", 5);
    assert_eq!((many.problems[0].rule, many.documents.len()), ("file-values", 0));
    let twice = Source::read(b"a: 1\nb: 2\na: 3\n");
    assert!(twice.problems[0].text.contains("line 1") && twice.problems[0].text.contains("line 3"));
}

#[test]
fn a_broken_document_does_not_hide_the_next() {
    let source =
        Source::read(b"a: [1\n---\nb: 2\n---\nc: !x 1\n---\nd: {e: 1}\n---\nx:\n\ty: 1\n---\ng: 1\n");
    let keys: Vec<&str> = source
        .documents
        .iter()
        .filter_map(|document| document.root().entries().next().map(|(key, _)| key))
        .collect();
    assert_eq!(keys, ["b", "d", "g"]);
    let places: Vec<(usize, u32)> =
        source.problems.iter().map(|problem| (problem.document, problem.line)).collect();
    assert_eq!(places, [(1, 1), (3, 5), (5, 10)]);
    let numbers: Vec<usize> = source.documents.iter().map(Document::number).collect();
    assert_eq!(numbers, [2, 4, 6]);
}

proptest! {
    #[test]
    fn no_text_panics(text in "[-a-c0-9 :{}\\[\\]&*!|>%'\"#,?~\\n\\t\u{e9}]{0,80}") {
        let source = Source::read(text.as_bytes());
        for document in &source.documents {
            walk(&document.root(), text.len());
        }
        for problem in &source.problems {
            prop_assert!(problem.line >= 1 && problem.column >= 1);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
        let _ = Source::read(&bytes);
    }
}

/// Every value has its place within the text.
fn walk(spot: &Spot<'_>, length: usize) {
    for range in [spot.range(), spot.key_range()] {
        assert!(range.start <= range.end && range.end <= length, "{spot:?} {range:?}");
    }
    spot.items().chain(spot.entries().map(|(_, entry)| entry)).for_each(|below| walk(&below, length));
}
