use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as File;

use super::*;

#[test]
fn every_path_of_a_column_is_understood() {
    for kind in Kind::all() {
        for column in kind.columns() {
            if let Cell::Path(path) = column.cell {
                assert!(Path::parse(path).is_some(), "{} {}: {path}", kind.qualified(), column.name);
            }
        }
    }
}

#[test]
fn no_two_kinds_of_a_group_share_a_name() {
    let mut seen = BTreeSet::new();
    for row in Kind::all().map(Kind::row) {
        let names = [row.plural, row.singular].into_iter().chain(row.short.iter().copied());
        for name in names.collect::<BTreeSet<_>>() {
            assert!(seen.insert((row.group, name)), "{name}.{}", row.group);
        }
        assert!(!row.versions.is_empty(), "{}", row.plural);
    }
}

#[test]
fn kinds_are_found_by_path_object_and_plural() {
    for kind in Kind::all() {
        let row = kind.row();
        for version in row.versions {
            assert_eq!(Kind::of_path(row.group, version, row.plural), Some(kind));
            assert_eq!(Kind::of_object(&kind.api_version(version), row.kind), Some(kind));
        }
        assert_eq!(Kind::of_plural(row.group, row.plural), Some(kind));
    }
    assert_eq!(Kind::of_path("kubevirt.io", "v7", "virtualmachines"), None);
}

/// Names, scopes, versions, sub-resources and columns of one definition, as text that differs where anything differs.
fn described(definition: &Value) -> Vec<String> {
    let spec = &definition["spec"];
    let mut told = Vec::new();
    let served = |version: &&Value| version["served"] == true;
    for version in spec["versions"].as_array().into_iter().flatten().filter(served) {
        let columns: Vec<Value> = version["additionalPrinterColumns"].as_array().cloned().unwrap_or_default();
        let columns = columns.into_iter().map(|mut column| {
            column["description"].take();
            json!([
                column["name"],
                column["type"],
                column["format"].as_str().unwrap_or_default(),
                column["priority"].as_u64().unwrap_or_default(),
                column["jsonPath"]
            ])
        });
        let scale = &version["subresources"]["scale"];
        told.push(
            json!([
                version["name"],
                spec["names"]["kind"],
                spec["names"]["plural"],
                spec["names"]["singular"],
                spec["names"]["shortNames"].as_array().cloned().unwrap_or_default(),
                spec["names"]["categories"].as_array().cloned().unwrap_or_default(),
                spec["scope"],
                version["subresources"].get("status").is_some(),
                [&scale["specReplicasPath"], &scale["statusReplicasPath"], &scale["labelSelectorPath"]],
                columns.collect::<Vec<_>>(),
            ])
            .to_string(),
        );
    }
    told.sort_unstable();
    told
}

/// The same of a row.
fn described_row(row: &Row) -> Vec<String> {
    let columns: Vec<Value> = row
        .columns
        .iter()
        .map(|column| {
            let Cell::Path(path) = column.cell else { panic!("{}: a computed column", row.plural) };
            json!([column.name, column.kind, column.format, column.priority, path])
        })
        .collect();
    let scale = match &row.scale {
        Some(scale) => [scale.spec_replicas, scale.status_replicas, scale.selector]
            .map(|path| Value::from(format!(".{path}"))),
        None => [Value::Null, Value::Null, Value::Null],
    };
    let scope = if row.namespaced { "Namespaced" } else { "Cluster" };
    let describe = |version: &&str| {
        json!([
            version,
            row.kind,
            row.plural,
            row.singular,
            row.short,
            row.categories,
            scope,
            row.status,
            scale,
            columns
        ])
        .to_string()
    };
    let mut told: Vec<String> = row.versions.iter().map(describe).collect();
    told.sort_unstable();
    told
}

#[test]
fn rows_are_those_of_the_real_definitions() {
    let Some(folder) = std::env::var_os("V9S_TEST_DATA") else {
        eprintln!("skipped: V9S_TEST_DATA names no folder with crds/*/*.yaml");
        return;
    };
    let folder = File::new(&folder).join("crds");
    let mut real = BTreeMap::new();
    for project in ["kubevirt", "cdi", "snapshot", "virtink", "kairos"] {
        for entry in std::fs::read_dir(folder.join(project)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            // There are several editions of that one, under one name; the newest is served.
            let newest = !name.starts_with("osartifacts.") || name.contains("two-stage");
            if !name.ends_with(".yaml") || !newest {
                continue;
            }
            let definition: Value = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let group = definition["spec"]["group"].as_str().unwrap().to_owned();
            let plural = definition["spec"]["names"]["plural"].as_str().unwrap().to_owned();
            real.insert((group, plural), described(&definition));
        }
    }
    assert!(!real.is_empty(), "no definitions in {}", folder.display());
    let rows = Kind::all().map(Kind::row).filter(|row| !row.builtin && row.group != "v9s.dev");
    let ours: BTreeMap<_, _> =
        rows.map(|row| ((row.group.to_owned(), row.plural.to_owned()), described_row(row))).collect();
    let names = |kinds: &BTreeMap<_, _>| kinds.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&real));
    for (name, wanted) in real {
        assert_eq!(ours[&name], wanted, "{name:?}");
    }
}

/// What the server shows of our kinds is what their definitions say.
#[test]
fn our_kinds_are_those_of_their_definitions() {
    for definition in crate::model::crd::definitions() {
        let spec = &definition["spec"];
        let (names, version) = (&spec["names"], &spec["versions"][0]);
        let kind = Kind::of_object("v9s.dev/v1alpha1", names["kind"].as_str().unwrap()).unwrap();
        let row = kind.row();
        assert_eq!(serde_json::json!(row.plural), names["plural"]);
        assert_eq!(serde_json::json!(row.singular), names["singular"]);
        assert_eq!(serde_json::json!(row.short), names["shortNames"]);
        assert_eq!(serde_json::json!(row.categories), names["categories"]);
        assert_eq!(row.namespaced, spec["scope"] == "Namespaced");
        assert_eq!(row.status, version["subresources"]["status"].is_object());
        let scale = row.scale.as_ref().map(|scale| {
            let paths =
                [scale.spec_replicas, scale.status_replicas, scale.selector].map(|path| format!(".{path}"));
            serde_json::json!({
                "specReplicasPath": paths[0], "statusReplicasPath": paths[1], "labelSelectorPath": paths[2],
            })
        });
        assert_eq!(scale.unwrap_or_default(), version["subresources"]["scale"], "{}", row.kind);
        let of_definition: Vec<_> = version["additionalPrinterColumns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                let text = |key: &str| column[key].as_str().unwrap_or_default().to_owned();
                (text("name"), text("type"), text("jsonPath"), column["priority"].as_i64().unwrap_or(0))
            })
            .collect();
        let shown: Vec<_> = kind
            .columns()
            .skip(1)
            .map(|column| {
                let Cell::Path(path) = column.cell else {
                    panic!("{} of {} is computed", column.name, row.kind)
                };
                (column.name.to_owned(), column.kind.to_owned(), path.to_owned(), i64::from(column.priority))
            })
            .collect();
        assert_eq!(shown, of_definition, "{}", row.kind);
    }
}
