//! Fixes applied to a text until none is left, each one only if it keeps its word.

use std::collections::HashSet;

use super::finding::Finding;
use super::fix::{Fix, apply};
use super::source::Source;

/// A fix may bring to light what another one mends; more rounds than this are a circle.
const ROUNDS: usize = 12;
/// The most fixes that are tried one by one, after they could not be applied together.
const ONE_BY_ONE: usize = 40;

/// A text after its fixes.
#[derive(Debug)]
pub struct Mended {
    /// The text.
    pub text: String,
    /// What was mended, with places of the text as it stood when its turn came.
    pub fixed: Vec<Finding>,
    /// What is left.
    pub left: Vec<Finding>,
}

/// Applies the fixes of what `judge` finds, and of what it finds then. A fix that leaves its finding, or makes the text
/// unreadable, is not applied.
pub fn mend(text: &str, judge: impl Fn(&Source) -> Vec<Finding>) -> Mended {
    let look = |text: &str| judge(&Source::read(text.as_bytes()));
    let mut text = text.to_owned();
    let mut findings = look(&text);
    let mut fixed: Vec<Finding> = Vec::new();
    let mut refused: HashSet<(usize, &'static str, String)> = HashSet::new();
    for _ in 0..ROUNDS {
        let offered: Vec<&Finding> =
            findings.iter().filter(|one| one.fix.is_some() && !refused.contains(&name(one))).collect();
        if offered.is_empty() {
            break;
        }
        let next = attempt(&text, &findings, &offered, &look).or_else(|| {
            offered.iter().take(ONE_BY_ONE).find_map(|one| {
                let next = attempt(&text, &findings, &[one], &look);
                if next.is_none() {
                    refused.insert(name(one));
                }
                next
            })
        });
        let Some(next) = next else { continue };
        fixed.extend(next.fixed);
        (text, findings) = (next.text, next.left);
    }
    // Only what is gone was mended.
    let left: HashSet<_> = findings.iter().map(name).collect();
    fixed.retain(|one| !left.contains(&name(one)));
    Mended { text, fixed, left: findings }
}

fn name(finding: &Finding) -> (usize, &'static str, String) {
    (finding.document, finding.rule, finding.path.clone())
}

/// Applies some fixes and looks whether they did what they say.
fn attempt(
    text: &str,
    before: &[Finding],
    offered: &[&Finding],
    look: &impl Fn(&str) -> Vec<Finding>,
) -> Option<Mended> {
    let mut taken: Vec<&Finding> = Vec::new();
    let mut fixes: Vec<&Fix> = Vec::new();
    let mut changed = text.to_owned();
    let all: Vec<&Fix> = offered.iter().filter_map(|one| one.fix.as_ref()).collect();
    if let (whole, applied) = apply(text, all.iter().copied())
        && applied == all.len()
    {
        changed = whole;
        taken.extend(offered);
    } else {
        for one in offered.iter().take(ONE_BY_ONE) {
            let Some(fix) = &one.fix else { continue };
            fixes.push(fix);
            match apply(text, fixes.iter().copied()) {
                (more, applied) if applied == fixes.len() => {
                    changed = more;
                    taken.push(one);
                }
                _ => _ = fixes.pop(),
            }
        }
    }
    if changed == text {
        return None;
    }
    let after = look(&changed);
    let count =
        |findings: &[Finding], is: &dyn Fn(&Finding) -> bool| findings.iter().filter(|one| is(one)).count();
    let unreadable = |one: &Finding| {
        one.path.is_empty() && (one.rule.starts_with("yaml-") || one.rule.starts_with("file-"))
    };
    let sound = count(&after, &unreadable) <= count(before, &unreadable)
        && taken.iter().all(|one| {
            let same = |other: &Finding| other.rule == one.rule && other.document == one.document;
            let mended = taken.iter().filter(|other| same(other)).count();
            count(&after, &same) + mended <= count(before, &same)
        });
    let fixed = taken.into_iter().cloned().collect();
    sound.then_some(Mended { text: changed, fixed, left: after })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::known::{Known, Options};

    fn mended(text: &str) -> Mended {
        let options = Options { gvc: Some("shop".into()), ..Options::default() };
        mend(text, |source| super::super::judge(source, &[], &Known::default(), &options))
    }

    #[test]
    fn comments_and_order_stay() {
        let text = "\
# The web server
kind: wrokload
name: web
spec: # all of it
  containers:
  - image: nginx # not for VMs
    name: vm # its name
    cpu: 1500m # two are too many
    memory: 2GB
    args:
    - a
    - b
    # before ports
    ports:
    - number: 22
      protocol: tcp
    - {number: 80, protocol: htpp}
  firewallConfig: {internal: {inboundAllowType: same-gvc}}
  vm:
    bootDisk:
      source:
        oci:
          image: docker://quay.io/containerdisks/ubuntu:22.04
        persist:
          volumeSet: cpln://volumeset/web
status:
  ready: true
";
        let want = "\
# The web server
kind: workload
name: web
spec: # all of it
  type: vm
  containers:
  - name: vm # its name
    cpu: 2 # two are too many
    memory: 2G
    # before ports
    ports:
    - {number: 80, protocol: http}
  firewallConfig: {internal: {inboundAllowType: same-gvc}}
  vm:
    bootDisk:
      persist: {\"volumeSet\": \"cpln://volumeset/web\"}
      source:
        oci:
          image: quay.io/containerdisks/ubuntu:22.04
";
        let done = mended(text);
        assert_eq!(done.text, want);
        assert_eq!(done.left, []);
        let mut rules: Vec<&str> = done.fixed.iter().map(|fixed| fixed.rule).collect();
        rules.sort_unstable();
        let want = [
            "args-forbidden",
            "boot-source-persist-misplaced",
            "cpu-whole-cores",
            "image-forbidden",
            "kind-unknown",
            "memory-syntax",
            "oci-image-scheme",
            "port-protocol",
            "port-ssh",
            "server-field-ignored",
            "type-missing",
        ];
        assert_eq!(rules, want);
    }

    #[test]
    fn json_stays_json() {
        let text = r#"{"kind": "workload", "name": "web", "spec": {"containers": [{"image": "nginx", "name": "vm", "cpu": "500m", "memory": "1Gi"}], "vm": {"bootDisk": {"bus": "VIRTIO", "source": {"oci": {"image": "a:1"}}, "persist": {"volumeSet": "web"}}}}, "status": {}}"#;
        let done = mended(text);
        let value: serde_json::Value = serde_json::from_str(&done.text).unwrap();
        assert_eq!(value["spec"]["containers"][0]["cpu"], "1");
        assert_eq!(value["spec"]["type"], "vm");
        assert_eq!(value["spec"]["vm"]["bootDisk"]["persist"]["volumeSet"], "cpln://volumeset/web");
        assert_eq!(done.left, [], "{}", done.text);
    }

    /// Texts that look like workloads, with mistakes.
    fn workloads() -> impl Strategy<Value = String> {
        let lines = prop::sample::select(vec![
            "kind: workload",
            "kind: wrokload",
            "apiVersion: v9s.dev/v1alpha1",
            "name: web",
            "name: 12",
            "description: ' x '",
            "status: {}",
            "id: x # c",
            "spec:",
            "  type: VM",
            "  job: {a: [b]}",
            "  containers:",
            "  - name: vm",
            "  - {name: b, image: c}",
            "    cpu: 1500m",
            "    image: |",
            "      text",
            "",
            "    port: 80",
            "    memory: \"2GB\"",
            "    memroy: 2Gi",
            "    ports: [{number: 22}, {number: 22}]",
            "    ports: [{number: '80', protocol: htp}]",
            "    - number: 22",
            "  vm:",
            "    bootDisk:",
            "      bus: scis",
            "      source: {oci: {image: docker://a/b:1}, persist: {volumeSet: x}}",
            "      persist:",
            "        volumeSet: web",
            "# comment",
            "---",
            "  \t",
        ]);
        prop::collection::vec(lines, 0..24).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #[test]
        fn what_is_written_keeps_the_word(text in workloads()) {
            let done = mended(&text);
            for fixed in &done.fixed {
                prop_assert!(!done.left.iter().any(|left| name(left) == name(fixed)), "{}\n->\n{}", text, done.text);
            }
            let before = Source::read(text.as_bytes());
            let after = Source::read(done.text.as_bytes());
            prop_assert!(after.problems.len() <= before.problems.len(), "{}\n->\n{}", text, done.text);
            let again = mended(&done.text);
            prop_assert_eq!(&again.text, &done.text, "from {}", text);
        }

        #[test]
        fn no_text_panics(text in "[-a-c0-9 :{}\\[\\]&*!|>'\"#,\\n\u{e9}]{0,60}") {
            let _ = mended(&format!("kind: workload\n{text}"));
        }
    }
}
