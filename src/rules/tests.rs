//! Every rule against its own cases, in both forms.

use std::collections::HashSet;

use proptest::prelude::*;

use super::example::{Example, example};
use super::*;

/// A minimal workload is closed to everybody, which shows as soon as a case lists ports.
const IN_PASSING: &str = "firewall-closed";

fn findings(example: &Example) -> Vec<Finding> {
    let source = Source::read(example.text.as_bytes());
    let old = Source::read(example.old.as_bytes());
    judge(&source, &old.documents, &example.known, &example.options)
}

fn listed(findings: &[Finding]) -> String {
    let line =
        |found: &Finding| format!("\n    {}: {} {} {}", found.line, found.rule, found.path, found.text);
    findings.iter().map(line).collect()
}

/// The forms in which the cases of a rule can be written.
fn forms(rule: &Rule) -> Vec<Dialect> {
    match rule.on.first() {
        Some(Subject::Workload | Subject::VolumeSet) => vec![Dialect::Seed, Dialect::Kubernetes],
        _ => vec![Dialect::Kubernetes],
    }
}

fn cases(rule: &'static Rule, cases: &[&'static str]) -> Vec<(String, Example)> {
    let mut built = Vec::new();
    for case in cases {
        for form in forms(rule) {
            let title = format!("{} in {form:?}: {case}", rule.id);
            built.push((
                title.clone(),
                example(rule, case, form).unwrap_or_else(|why| panic!("{title}: {why}")),
            ));
        }
    }
    built
}

#[test]
fn minimal_documents_have_no_findings() {
    let subjects: HashSet<Subject> = catalogue::rules().filter_map(|rule| rule.on.first().copied()).collect();
    for subject in subjects {
        if subject == Subject::Other {
            continue;
        }
        let rule = catalogue::rules().find(|rule| rule.on.first() == Some(&subject)).unwrap();
        for form in forms(rule) {
            let example = example(rule, "", form).unwrap();
            assert_eq!(findings(&example), [], "{subject:?} {form:?}\n{}", example.text);
        }
    }
}

#[test]
fn every_rule_has_cases_and_they_hold() {
    let mut failures = Vec::new();
    for rule in catalogue::rules().filter(|rule| rule.needs != Needs::Command) {
        if rule.bad.is_empty() || rule.good.is_empty() {
            failures.push(format!("{} has no case", rule.id));
        }
        for (title, example) in cases(rule, rule.bad) {
            let found = findings(&example);
            let own: Vec<&Finding> = found.iter().filter(|finding| finding.rule == rule.id).collect();
            let at_place = own.iter().any(|own| {
                example.line.is_none_or(|line| line == own.line)
                    && example.path.as_ref().is_none_or(|path| *path == own.path)
                    && own.level == rule.level
            });
            let stranger = found
                .iter()
                .find(|one| one.rule != rule.id && one.rule != IN_PASSING && !rule.with.contains(&one.rule));
            if !at_place || stranger.is_some() {
                failures.push(format!(
                    "{title}\nwants line {:?} path {:?}, has{} in\n{}",
                    example.line,
                    example.path,
                    listed(&found),
                    example.text
                ));
            }
        }
        for (title, example) in cases(rule, rule.good) {
            let found = findings(&example);
            if found.iter().any(|finding| finding.rule == rule.id) {
                failures.push(format!("{title}\n is good, has{} in\n{}", listed(&found), example.text));
            }
        }
    }
    assert!(failures.is_empty(), "{} failures\n\n{}", failures.len(), failures.join("\n\n"));
}

/// Every row that is promised is there as it is promised, with cases, or says which command reports it.
#[test]
fn the_catalogue_is_whole() {
    let counts: Vec<usize> = catalogue::promised::PROMISED.iter().map(|(_, rows)| rows.len()).collect();
    assert_eq!(counts, [21, 21, 22, 27, 7, 23, 18, 23, 35, 25, 24]);
    let mut wrong = Vec::new();
    for (section, rows) in catalogue::promised::PROMISED {
        for (id, level) in *rows {
            let of_id: Vec<&Rule> = catalogue::rules().filter(|rule| rule.id == *id).collect();
            let mut say = |what: &str| wrong.push(format!("{section}: {id} {what}"));
            if of_id.is_empty() {
                say("is not there");
            }
            for rule in of_id {
                if rule.level != *level {
                    say("is of another level");
                }
                let tested = !rule.bad.is_empty() && !rule.good.is_empty();
                if rule.needs != Needs::Command && !tested {
                    say("has no case");
                }
                if let Cel::No(why) = rule.cel
                    && why.is_empty()
                {
                    say("does not say why no server keeps it");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_a_fix_mends_is_mended() {
    for rule in catalogue::rules().filter(|rule| rule.needs != Needs::Command) {
        for (title, example) in cases(rule, rule.bad) {
            for finding in findings(&example) {
                let Some(fix) = &finding.fix else { continue };
                let (text, applied) = apply(&example.text, [fix]);
                assert_eq!(applied, 1, "{title}");
                let again = findings(&Example {
                    text: text.clone(),
                    known: example.known.clone(),
                    ..Example::default()
                });
                let still = again.iter().find(|one| one.rule == finding.rule && one.path == finding.path);
                assert!(still.is_none(), "{title}: {} leaves {still:?} in\n{text}", fix.label);
                let broken = again.iter().find(|one| one.rule.starts_with("yaml-"));
                assert!(broken.is_none(), "{title}: {} makes {broken:?} in\n{text}", fix.label);
            }
        }
    }
}

#[test]
fn a_text_has_as_many_gaps_as_its_reports_fill() {
    for rule in catalogue::rules().filter(|rule| rule.needs != Needs::Command) {
        for (title, example) in cases(rule, rule.bad) {
            for finding in findings(&example) {
                assert!(
                    !finding.text.contains("{}") && !finding.text.is_empty(),
                    "{title}: {}",
                    finding.text
                );
            }
        }
    }
}

#[test]
fn ids_are_unique_for_each_kind() {
    let mut seen = HashSet::new();
    for rule in catalogue::rules() {
        for subject in rule.on {
            assert!(seen.insert((rule.id, *subject)), "{} twice for {subject:?}", rule.id);
        }
        let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
        assert!(rule.id.bytes().all(plain) && !rule.id.is_empty(), "{:?}", rule.id);
        assert!(!rule.text.is_empty() && !rule.text.ends_with('.'), "{}", rule.id);
    }
}

/// What people and programs write where something else belongs.
const ODD: &[&str] = &[
    "",
    "null",
    "~",
    "[]",
    "{}",
    "[[]]",
    "{a: [b]}",
    "-1",
    "1e999",
    "0x10",
    "99999999999999999999",
    "'",
    "\"",
    "|\n",
    ": ",
    "- ",
    "é",
    "\u{1f600}",
    "\u{0}",
    "\u{202e}",
    "\t",
    "\n",
    "\n---\n",
    "&a ",
    "*a",
    "!!int ",
    "<<: *a",
    "%",
    "@",
    "`",
    "#cloud-config",
    "cpln://",
    "cpln://volumeset/",
    "//secret/",
    "/org//gvc/",
    "1Gi",
    "-5m",
    "true",
    ".inf",
    "2026-01-01T00:00:00Z",
    "a.b[0]",
];

/// Every bad case of every rule, as a text of its kind.
static CASES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let with_cases = catalogue::rules().filter(|rule| rule.needs != Needs::Command);
    with_cases.flat_map(|rule| cases(rule, rule.bad)).map(|(_, example)| example).collect()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    /// A document of any kind, with something odd at any place of it, is judged, mended and turned into the other form, or
    /// not, but nothing panics; and what is mended can be read as well as before.
    #[test]
    fn no_document_panics(
        case in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
        length in 0_usize..12,
        odd in prop::sample::select(ODD),
    ) {
        let example = case.get(&CASES);
        let start = example.text.floor_char_boundary(from.index(example.text.len() + 1));
        let end = example.text.floor_char_boundary((start + length).min(example.text.len())).max(start);
        let text = [&example.text[..start], odd, &example.text[end..]].concat();
        let before = Source::read(text.as_bytes());
        let old = Source::read(example.old.as_bytes());
        for finding in judge(&before, &old.documents, &example.known, &example.options) {
            prop_assert!(finding.range.end <= text.len() && finding.line >= 1, "{finding:?} in\n{text}");
        }
        for document in &before.documents {
            let _ = document.object();
            let _ = document.field(odd).path();
        }
        let done = mend(&text, |source| judge(source, &[], &example.known, &example.options));
        let after = Source::read(done.text.as_bytes());
        prop_assert!(after.problems.len() <= before.problems.len(), "{text}\n->\n{}", done.text);
    }
}
