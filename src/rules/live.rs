//! What a server said about a document, as findings at the lines that it speaks of.

use super::finding::{Finding, Level};
use super::source::{Dialect, Document, Spot};
use crate::text;

/// The rule of findings that come from a server.
pub const SERVER: &str = "server";

/// A finding for what a server said about a field; `field` as servers write it, such as
/// `spec.containers[0].cpu`. Of a field that the text does not have, the closest part is pointed at.
#[must_use]
pub fn said(document: &Document, field: &str, words: &str, refuses: bool) -> Finding {
    let at = document.field(field);
    let range = at.range();
    let (line, column) = document.text().position(range.start);
    let words = text::one_line(words, 300);
    let text = match refuses {
        true => format!("the server refuses it: {words}"),
        false => format!("the server warns: {words}"),
    };
    Finding {
        rule: SERVER,
        level: if refuses { Level::Error } else { Level::Warning },
        document: document.number(),
        path: at.path(),
        line,
        column,
        range,
        text,
        fix: None,
    }
}

impl Document {
    /// The place of a field as servers write it, or the closest part of it that is in the text.
    #[must_use]
    pub fn field(&self, field: &str) -> Spot<'_> {
        let root = self.root();
        let mut at = root.clone();
        let mut rest = self.of_this_form(field.trim_start_matches('.'));
        loop {
            rest = rest.trim_start_matches('.');
            let next = match rest.strip_prefix('[') {
                Some(inside) => {
                    let Some((key, after)) = inside.split_once(']') else { break };
                    let key = key.trim_matches('"');
                    let item = key.parse().ok().and_then(|index| at.item(index)).or_else(|| at.entry(key));
                    item.map(|item| (item, after))
                }
                // A key may hold dots: the longest that is there counts.
                None => {
                    let ends =
                        rest.char_indices().filter(|(_, c)| matches!(c, '.' | '[')).map(|(end, _)| end);
                    let mut ends: Vec<usize> = ends.chain([rest.len()]).collect();
                    ends.reverse();
                    ends.into_iter().find_map(|end| Some((at.entry(&rest[..end])?, &rest[end..])))
                }
            };
            match next {
                Some((place, after)) => (at, rest) = (place, after),
                None => break,
            }
        }
        at
    }

    /// A field of Kubernetes' form as this document has it.
    fn of_this_form<'f>(&self, field: &'f str) -> &'f str {
        if self.dialect() == Dialect::Kubernetes {
            return field;
        }
        match field {
            "metadata.name" => "name",
            "metadata.namespace" => "gvc",
            "apiVersion" => "kind",
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::Source;

    #[test]
    fn fields_lead_to_lines() {
        let kubernetes = "apiVersion: v9s.dev/v1alpha1\nkind: Workload\nmetadata:\n  name: a\n  annotations:\n    v9s.dev/x: b\nspec:\n  containers:\n  - name: guest\n    cpu: 1\n  vm: {}\n";
        let cpln = "kind: workload\nname: a\ngvc: shop\nspec:\n  type: vm\n";
        for (text, field, line, path) in [
            (kubernetes, "spec.containers[0].cpu", 10, "spec.containers[0].cpu"),
            (kubernetes, "spec.containers[0].memory", 9, "spec.containers[0]"),
            (kubernetes, "spec.containers[7].cpu", 8, "spec.containers"),
            (kubernetes, "metadata.annotations[v9s.dev/x]", 6, "metadata.annotations[\"v9s.dev/x\"]"),
            (kubernetes, "metadata.annotations.v9s.dev/x", 6, "metadata.annotations[\"v9s.dev/x\"]"),
            (kubernetes, ".spec.vm.bootDisk", 11, "spec.vm"),
            (kubernetes, "spec.vm[", 11, "spec.vm"),
            (kubernetes, "", 1, ""),
            (kubernetes, "<nil>", 1, ""),
            (cpln, "metadata.name", 2, "name"),
            (cpln, "metadata.namespace", 3, "gvc"),
            (cpln, "spec.type", 5, "spec.type"),
        ] {
            let source = Source::read(text.as_bytes());
            let finding = said(&source.documents[0], field, "no", true);
            assert_eq!((finding.line, finding.path.as_str()), (line, path), "{field}");
        }
    }
}
