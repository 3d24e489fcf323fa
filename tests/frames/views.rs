//! Every view, filled from the objects of the demo.

use v9s::model::Now;
use v9s::records::Kind;
use v9s::store::{Id, SortKey, Store};
use v9s::ui::app::{App, Options};
use v9s::ui::theme::Theme;
use v9s::views::{self, AnyView, Holds, Layout, Open, Sets, Shown, VIEWS, find, within};

use super::demo::recording;
use super::{buffer, now, text};

/// The demo, with this view of it on screen.
fn demo(view: &str, wide: bool, size: (u16, u16)) -> App {
    let options = Options { view: Some(view.into()), all_namespaces: true, wide, ..Options::default() };
    let mut app = App::new(options, Theme::default(), size, now());
    app.replay(recording().as_bytes(), 1.0).unwrap();
    app
}

#[test]
fn every_view_at_a_glance() {
    for view in VIEWS.iter().filter(|view| view.name() != "contexts") {
        let size = (120, 40);
        let mut app = demo(view.name(), false, size);
        insta::assert_snapshot!(
            format!("view_{}", view.name()),
            text(&buffer(&mut app, size.0, size.1, now()))
        );
    }
}

#[test]
fn wide_forms() {
    for view in ["workloads", "vms", "vmis", "nodes", "claims", "snapshots"] {
        let size = (240, 30);
        let mut app = demo(view, true, size);
        insta::assert_snapshot!(format!("wide_{view}"), text(&buffer(&mut app, size.0, size.1, now())));
    }
}

fn cell(view: &dyn AnyView, store: &Store, id: Id, column: usize, now: Now) -> String {
    let mut out = String::new();
    view.cell(store, id, column, now, &mut out);
    out
}

#[test]
fn every_cell_of_every_view_says_something() {
    for &view in VIEWS {
        let app = demo(view.name(), true, (80, 24));
        let rows = app.pane.list.rows();
        assert!(!rows.is_empty() || view.name() == "contexts", "{} has no row", view.name());
        for &id in rows {
            for column in 0..view.width() {
                let text = cell(view, &app.store, id, column, now());
                let title = view.heading(column).title;
                assert!(!text.is_empty(), "{} {title} is empty", view.name());
                assert!(!text.contains('…'), "{} {title}: {text} though all is known", view.name());
            }
        }
    }
}

#[test]
fn columns_are_sorted_by_what_they_hold() {
    for &view in VIEWS {
        let app = demo(view.name(), true, (80, 24));
        for column in 0..view.width() {
            let heading = view.heading(column);
            for &id in app.pane.list.rows() {
                let key = view.key(&app.store, id, column, now());
                let fits = match key {
                    SortKey::Nothing => true,
                    SortKey::Number(_) => !matches!(heading.holds, Holds::State | Holds::Reason),
                    SortKey::Text(_) => matches!(heading.holds, Holds::Text | Holds::State | Holds::Reason),
                };
                assert!(fits, "{} {}: {key:?}", view.name(), heading.title);
            }
        }
    }
}

#[test]
fn columns_that_are_shown_besides_are_there() {
    for &view in VIEWS {
        let Open::Rows { view: opened, besides, .. } = view.open() else { continue };
        let opened = views::opened(opened).unwrap();
        for title in besides {
            let column = opened.column(title).unwrap_or_else(|| panic!("{} has no {title}", opened.name()));
            assert_eq!(opened.heading(column).shown, Shown::Wide, "{title} is shown anyway");
        }
    }
}

#[test]
fn states_that_are_counted_are_made_of_all_that_they_are_made_of_elsewhere() {
    for &view in VIEWS {
        let others: Vec<_> = view.stateful().into_iter().filter(|kind| !view.rows().contains(kind)).collect();
        for kind in others {
            let of = VIEWS.iter().find(|of| of.rows() == [kind]).unwrap();
            let missing: Vec<_> = of
                .partners()
                .iter()
                .filter(|&partner| *partner != Kind::PodMetrics && !view.partners().contains(partner))
                .collect();
            assert!(missing.is_empty(), "{} counts {} without {missing:?}", view.name(), of.name());
        }
    }
}

#[test]
fn every_set_of_a_view_has_the_name_and_something_else() {
    let app = demo("vms", false, (80, 24));
    for name in ["workloads", "vms", "vmis", "pods", "nodes", "claims"] {
        let view = find(name).unwrap();
        let titles = |set: Sets| -> Vec<_> {
            let layout = Layout { set: Some(set), ..Layout::default() };
            let shown = (0..view.width()).filter(|&column| view.is_visible(&app.store, column, layout));
            shown.map(|column| view.heading(column).title).collect()
        };
        for (_, set) in Sets::NAMES {
            let titles = titles(set);
            assert!(titles.contains(&"NAME".into()), "{name} {set:?}: {titles:?}");
        }
        assert!(titles(Sets::TRIAGE).contains(&"STATE".into()), "{name}");
    }
}

#[test]
fn what_a_view_names_exists() {
    let mut words: Vec<&str> = VIEWS
        .iter()
        .flat_map(|view| std::iter::once(view.name()).chain(view.aliases().iter().copied()))
        .collect();
    words.sort_unstable();
    let doubles: Vec<&[&str]> = words.windows(2).filter(|pair| pair[0] == pair[1]).collect();
    assert!(doubles.is_empty(), "two views are called {doubles:?}");
    for view in VIEWS {
        if let Open::Rows { view: other, of, .. } = view.open() {
            assert!(views::opened(other).is_some(), "{} opens {other}", view.name());
            assert!(of.iter().all(|kind| view.rows().contains(kind)), "{}", view.name());
        }
        for related in view.related() {
            assert!(!related.kinds.is_empty(), "{} {}", view.name(), related.title);
        }
    }
}

/// Names of the rows that a row opens.
fn opened(view: &str, name: &str) -> Vec<String> {
    let app = demo(view, false, (80, 24));
    let id = row(&app, name);
    let inner = within(find(view).unwrap(), &app.store, id).unwrap();
    assert_eq!(inner.origin(), Some(name));
    let mut names: Vec<String> = inner
        .rows()
        .iter()
        .flat_map(|&kind| app.store.ids(kind))
        .filter(|&id| inner.shows(&app.store, id))
        .map(|id| app.store.meta(id).unwrap().name.to_string())
        .collect();
    names.sort();
    names
}

fn row(app: &App, name: &str) -> Id {
    let named = |id: &&Id| app.store.meta(**id).unwrap().name == name;
    *app.pane.list.rows().iter().find(named).unwrap_or_else(|| panic!("no row {name}"))
}

#[test]
fn opening_a_row_shows_what_belongs_to_it() {
    assert_eq!(opened("pools", "web"), ["web-0", "web-1", "web-2"]);
    assert_eq!(opened("workloads", "web"), ["web-0", "web-1", "web-2"]);
}

#[test]
fn nodes_count_and_open_the_machines_of_every_dialect() {
    let app = demo("nodes", true, (80, 24));
    let view = find("nodes").unwrap();
    let column = view.column("VMS").unwrap();
    let mut all = Vec::new();
    for &id in app.pane.list.rows() {
        let name = app.store.meta(id).unwrap().name.to_string();
        let on_it = opened("nodes", &name);
        assert_eq!(cell(view, &app.store, id, column, now()), on_it.len().to_string(), "{name}: {on_it:?}");
        all.extend(on_it);
    }
    assert!(all.contains(&"tiny-0".into()) && all.contains(&"web-0".into()), "{all:?}");
    let node = &related("vtvms", "tiny-0", "node")[0]["Node/".len()..];
    for title in ["guests", "machines"] {
        let found = related("nodes", node, title);
        assert!(found.contains(&"VirtinkVm/tiny-0".into()), "{title}: {found:?}");
    }
    let of_lab: Vec<String> = related("namespaces", "lab", "machines");
    assert!(of_lab.contains(&"VirtinkVm/tiny-0".into()), "{of_lab:?}");
}

/// What a row leads to, as `kind/name`.
fn related(view: &str, name: &str, title: &str) -> Vec<String> {
    let app = demo(view, false, (80, 24));
    let view = find(view).unwrap();
    let place = view.related().iter().position(|related| related.title == title).unwrap();
    let mut found = Vec::new();
    view.find_related(&app.store, row(&app, name), place, &mut found);
    let name = |id: Id| format!("{:?}/{}", id.kind(), app.store.meta(id).unwrap().name);
    let mut names: Vec<String> = found.into_iter().map(name).collect();
    names.sort();
    names
}

#[test]
fn rows_lead_to_what_is_around_them() {
    assert_eq!(related("vms", "web-0", "pools"), ["Pool/web"]);
    assert_eq!(related("vms", "web-0", "instances"), ["Vmi/web-0"]);
    assert_eq!(related("vms", "web-0", "node").len(), 1);
    assert!(related("vms", "web-0", "pods")[0].starts_with("Pod/virt-launcher-web-0"));
    assert!(!related("vms", "photos", "events").is_empty());
    assert!(
        related("nodes", &related("vms", "web-0", "node")[0]["Node/".len()..], "machines")
            .contains(&"Vm/web-0".into())
    );
}

#[test]
fn machines_of_a_pool_are_folded_into_it() {
    let app = demo("workloads", false, (80, 24));
    let kinds: Vec<Kind> = app.pane.list.rows().iter().map(|id| id.kind()).collect();
    assert!(kinds.contains(&Kind::Pool) && kinds.contains(&Kind::Vm) && kinds.contains(&Kind::VirtinkVm));
    let names: Vec<_> = app.pane.list.rows().iter().map(|&id| &app.store.meta(id).unwrap().name).collect();
    assert!(
        names.iter().any(|name| **name == "web") && !names.iter().any(|name| **name == "web-0"),
        "{names:?}"
    );
}
