//! Every view as somebody sees it who may read one namespace, or nothing: what may not be seen is said once, in words that are
//! not cut, and nothing is said not to be there that may be.

use v9s::views::VIEWS;

use crate::support::embedded::Embedded;
use crate::support::screen::Screen;

/// What is said of what may not be seen: in the place of rows, or below them.
const REFUSALS: [&str; 3] = ["may not list", "No right to list", "may be read."];

/// The text without the frame, so that a sentence is in one piece wherever it was broken.
fn words(text: &str) -> String {
    text.replace(['│', '›', '‹', '┃'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Opens every view, and gives its name, its title and the whole screen to `check`.
fn walk(kubeconfig: &std::path::Path, args: &[&str], check: impl Fn(&str, &str, &str)) {
    let mut v9s = Screen::builder().kubeconfig(kubeconfig).args(args.iter().copied()).size(80, 24).open();
    v9s.wait_for("workloads(all)[");
    for view in VIEWS.iter().filter(|view| view.name() != "contexts") {
        let name = view.name();
        v9s.press(&format!(":{name}⏎"));
        let title = |text: &str| {
            let titled = text.lines().find(|line| line.starts_with('┌'));
            titled.map(|line| line.trim_matches(['┌', '─', '┐', ' ']).to_owned()).unwrap_or_default()
        };
        let stands = |text: &str| {
            let title = title(text);
            title.starts_with(name) && [" live", " denied"].iter().any(|state| title.contains(state))
        };
        v9s.wait_until(stands, name).settle();
        let text = v9s.text();
        check(name, &title(&text), &text);
    }
    v9s.press(":q⏎");
    assert_eq!(v9s.wait_exit(), 0);
}

/// What holds for everybody.
fn says_it_once(name: &str, title: &str, text: &str) {
    let all = words(text);
    let said: usize = REFUSALS.iter().map(|refusal| all.matches(refusal).count()).sum();
    assert_eq!(said, 1, "{name}\n{text}");
    let last = text.lines().nth(23).unwrap_or_default();
    assert!(!last.contains('…') && !all.contains("choose a namespace"), "{name}\n{text}");
    if title.ends_with("denied") {
        assert!(!all.contains("There are no"), "{name}\n{text}");
    }
    if title.contains("[0]") {
        // It stands where the rows would be, and nowhere else.
        assert!(last.is_empty(), "{name}\n{text}");
    }
}

#[test]
fn a_user_of_one_namespace_is_told_in_every_view_what_it_does_not_show() {
    let server = Embedded::still([]);
    walk(&server.kubeconfig("shop"), &["-A"], |name, title, text| {
        says_it_once(name, title, text);
        let all = words(text);
        match name {
            "nodes" | "storageclasses" | "images" | "versions" => {
                assert!(title.ends_with("denied"), "{text}");
                assert!(all.contains(&format!("may not list {name} in this cluster.")), "{text}");
                assert!(!all.contains("Another namespace"), "{text}");
            }
            // A kind with namespaces, of which none is open.
            "osartifacts" => {
                assert!(all.contains("may not list osartifacts in all namespaces. Not allowed"), "{text}");
                assert!(all.contains("Another namespace: :osartifacts NAMESPACE."), "{text}");
            }
            "instancetypes" => {
                assert!(all.contains("may not list cluster instance types"), "{text}");
            }
            "preferences" => assert!(all.contains("cluster preferences"), "{text}"),
            "namespaces" => assert!(all.contains("shop ○ Unconfirmed"), "{text}"),
            _ => assert!(all.contains("shop") && !title.ends_with("denied"), "{text}"),
        }
    });
}

#[test]
fn a_user_without_rights_is_told_so_in_every_view() {
    let server = Embedded::still([]);
    walk(&server.kubeconfig("admin"), &["-A", "--as", "nobody"], |name, title, text| {
        assert!(title.ends_with("denied"), "{name}\n{text}");
        says_it_once(name, title, text);
        let said = [format!("The user nobody may not list {name} in "), format!("No right to list {name};")];
        assert!(said.iter().any(|said| words(text).contains(said)), "{text}");
    });
}

#[test]
fn keys_that_lead_to_what_is_closed_say_so_whole() {
    let server = Embedded::still([]);
    let mut v9s = Screen::builder().kubeconfig(&server.kubeconfig("shop")).size(80, 24).open();
    v9s.wait_for("workloads(shop)[").press(":vms⏎/web-0⏎").wait_for("[1/").wait_for("web-0").press("o");
    v9s.wait_for("shop/web-0: no right to list nodes.");
}
