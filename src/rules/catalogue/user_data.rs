//! What stands in user data: what cloud-init will make of it, and what the platform will.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::finding::Level;
use super::super::fix::{Edit, Fix};
use super::super::patterns::nearest;
use super::super::rule::{Cel, Check, ERROR, Rule, WARNING};
use super::super::source::{Dialect, Source, Spot};
use super::super::subject::Subject;

/// The most bytes of user data in a workload.
pub(super) const MOST: usize = 16_384;

/// Both fields that hold the text itself.
const PATH: &str = "spec.vm.cloudInit.{userData,userDataBase64}";

/// The same in every kind that has such fields.
const ANYWHERE: &str = "@userdata";
const KINDS: &[Subject] = &[
    Subject::Workload,
    Subject::VirtualMachine,
    Subject::VirtualMachinePool,
    Subject::VirtualMachineInstance,
    Subject::VirtinkMachine,
    Subject::Secret,
];

/// Beginnings that cloud-init or cloudbase-init knows, in lower case.
const HEADERS: &[&str] = &[
    "#cloud-config",
    "#!",
    "#ps1",
    "#include",
    "#cloud-boothook",
    "#part-handler",
    "## template:",
    "content-type:",
    "mime-version:",
    "rem cmd",
    "<powershell>",
    "<script>",
];

/// The keys at the top of a cloud-config.
const KEYS: &[&str] = &[
    "allow_public_ssh_keys",
    "ansible",
    "apk_repos",
    "apt",
    "apt_pipelining",
    "apt_reboot_if_required",
    "apt_update",
    "apt_upgrade",
    "authkey_hash",
    "autoinstall",
    "bootcmd",
    "byobu_by_default",
    "ca-certs",
    "ca_certs",
    "chef",
    "chpasswd",
    "cloud_config_modules",
    "cloud_final_modules",
    "cloud_init_modules",
    "create_hostname_file",
    "datasource",
    "datasource_list",
    "device_aliases",
    "disable_ec2_metadata",
    "disable_root",
    "disable_root_opts",
    "disk_setup",
    "drivers",
    "fan",
    "final_message",
    "fqdn",
    "fs_setup",
    "groups",
    "growpart",
    "grub-dpkg",
    "grub_dpkg",
    "hostname",
    "keyboard",
    "landscape",
    "launch-index",
    "locale",
    "locale_configfile",
    "lxd",
    "manage_etc_hosts",
    "manage_resolv_conf",
    "mcollective",
    "merge_how",
    "merge_type",
    "mount_default_fields",
    "mounts",
    "network",
    "no_ssh_fingerprints",
    "ntp",
    "output",
    "package_reboot_if_required",
    "package_update",
    "package_upgrade",
    "packages",
    "password",
    "phone_home",
    "power_state",
    "prefer_fqdn_over_hostname",
    "preserve_hostname",
    "puppet",
    "random_seed",
    "reporting",
    "resize_rootfs",
    "resolv_conf",
    "rh_subscription",
    "rpi",
    "rsyslog",
    "runcmd",
    "salt_minion",
    "set_hostname",
    "set_timezone",
    "snap",
    "spacewalk",
    "ssh",
    "ssh_authorized_keys",
    "ssh_deletekeys",
    "ssh_fp_console_blacklist",
    "ssh_genkeytypes",
    "ssh_import_id",
    "ssh_key_console_blacklist",
    "ssh_keys",
    "ssh_publish_hostkeys",
    "ssh_pwauth",
    "ssh_quiet_keygen",
    "swap",
    "system_info",
    "timezone",
    "ubuntu_advantage",
    "ubuntu_pro",
    "updates",
    "user",
    "users",
    "vendor_data",
    "version",
    "wireguard",
    "write_files",
    "yum_repo_dir",
    "yum_repos",
    "zypper",
];

/// Where network settings of a guest live.
const NETWORK: &[&str] = &[
    "/etc/netplan",
    "/etc/network/interfaces",
    "/etc/systemd/network",
    "/etc/sysconfig/network-scripts",
    "/etc/NetworkManager/system-connections",
    "/etc/resolv.conf",
];

/// Names of settings whose value nobody else should read.
const SECRET_NAMES: &[&str] = &[
    "password",
    "passwd",
    "plain_text_passwd",
    "hashed_passwd",
    "passphrase",
    "secret",
    "token",
    "api_key",
    "apikey",
    "access_key",
    "secret_key",
    "private_key",
];

/// The text behind base64. Line breaks may stand in it, as everywhere in Kubernetes.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    STANDARD.decode(plain).ok()
}

/// Whether a text begins as user data does.
pub(super) fn is_known(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(20).collect::<String>().to_ascii_lowercase();
    HEADERS.iter().any(|header| start.starts_with(header))
}

/// The user data of one field. What is much too long is not looked into.
fn read<'a>(at: &Spot<'a>) -> Option<Cow<'a, str>> {
    let text = at.text().filter(|text| !text.is_empty() && text.len() <= 4 * MOST)?;
    // A Secret of another form has other keys.
    let secret = at.document().subject() == Subject::Secret;
    if secret && at.document().dialect() != Dialect::Kubernetes {
        return None;
    }
    if at.key() == Some("userDataBase64") || secret && at.holder().key() == Some("data") {
        // What is packed or no text is nobody's mistake.
        return String::from_utf8(decoded(text)?).ok().map(Cow::Owned);
    }
    Some(Cow::Borrowed(text))
}

/// All user data of a workload; `None` if a part of it cannot be seen from here.
pub(super) fn all<'a>(root: &Spot<'a>) -> Option<Cow<'a, str>> {
    let init = root.get("spec.vm.cloudInit");
    if !init.get("userDataSecret").blank() {
        return None;
    }
    let given =
        ["userData", "userDataBase64"].into_iter().map(|key| init.get(key)).find(|field| !field.blank());
    given.map_or(Some(Cow::Borrowed("")), |field| read(&field))
}

/// The user data as a cloud-config, if it says that it is one.
fn cloud_config(at: &Spot<'_>) -> Option<Source> {
    let text = read(at)?;
    let first = text.trim_start().lines().next()?;
    (first.trim_end() == "#cloud-config").then(|| Source::read(text.as_bytes()))
}

/// The lines of user data that are no comments, counted from 1.
fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(number, line)| *number == 1 || !line.starts_with('#'))
}

/// Where a line of the user data stands in the document, if it stands there as a line of its own.
fn place(at: &Spot<'_>, text: &str, line: u32) -> Option<Range<usize>> {
    let line = usize::try_from(line).ok()?.checked_sub(1)?;
    let wanted = text.lines().nth(line)?.trim();
    let before = text.lines().take(line).filter(|other| other.trim() == wanted).count();
    let raw = at.value_range()?;
    let written = at.document().text().as_str().get(raw.clone())?;
    if wanted.is_empty() || !written.contains('\n') {
        return None;
    }
    let mut start = raw.start;
    let mut seen = 0;
    for part in written.split_inclusive('\n') {
        if part.trim() == wanted {
            if seen == before {
                let from = start + (part.len() - part.trim_start().len());
                return Some(from..from + wanted.len());
            }
            seen += 1;
        }
        start += part.len();
    }
    None
}

/// Reports a line of the user data.
fn report<'c, 'a>(c: &'c mut Check<'a>, line: u32, values: &[&dyn std::fmt::Display]) -> &'c mut Check<'a> {
    let at = c.at.clone();
    let range = read(&at).and_then(|text| place(&at, &text, line)).unwrap_or_else(|| at.range());
    c.report_in(&at, range, values)
}

fn line_of(source: &Source, spot: &Spot<'_>) -> u32 {
    source.text.position(spot.key_range().start).0
}

/// Asks about the map at the top of a cloud-config.
fn in_config(c: &mut Check<'_>, ask: impl FnOnce(&mut Check<'_>, &Source, &Spot<'_>)) {
    if let Some(source) = cloud_config(&c.at)
        && let Some(document) = source.documents.first()
    {
        ask(c, &source, &document.root());
    }
}

/// What a command runs that ends the guest: the words of one command.
fn ends_guest(command: &str) -> Option<&str> {
    let mut words = command.split_whitespace().skip_while(|word| matches!(*word, "sudo" | "exec" | "nohup"));
    let first = words.next()?;
    let name = first.rsplit('/').next()?;
    let next = words.find(|word| !word.starts_with('-'));
    let ends = match name {
        "reboot" | "poweroff" | "halt" => true,
        "shutdown" => !command.contains(" -c"),
        "systemctl" => matches!(next, Some("reboot" | "poweroff" | "halt" | "kexec" | "soft-reboot")),
        "init" | "telinit" => matches!(next, Some("0" | "6")),
        _ => false,
    };
    ends.then(|| command.trim())
}

/// The commands of an item of `runcmd`: a line for the shell, or words.
fn commands(item: &Spot<'_>) -> Vec<String> {
    let script = match item.text() {
        Some(text) => text.to_owned(),
        None => {
            let words: Vec<_> = item.items().filter_map(|word| word.word()).collect();
            let shell = words.first().is_some_and(|first| first.ends_with("sh")) && words.len() > 2;
            if shell { words.last().cloned().unwrap_or_default().into_owned() } else { words.join(" ") }
        }
    };
    script.split(['\n', ';', '&', '|']).map(str::to_owned).collect()
}

/// Whether a line sets something secret to a value that stands in it.
fn is_secret(line: &str) -> bool {
    if line.contains("-----BEGIN") && line.contains("PRIVATE KEY-----") || line.contains("| chpasswd") {
        return true;
    }
    let Some(at) = line.find([':', '=']) else { return false };
    let (before, after) = line.split_at(at);
    let word = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let name = before.trim_end_matches(['"', '\'', ' ']).rsplit(word).next().unwrap_or_default();
    let name = name.to_ascii_lowercase().replace('-', "_");
    let secret = SECRET_NAMES.iter().any(|one| {
        name.strip_suffix(one).is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
            && name != "lock_passwd"
    });
    let value = after.get(1..).unwrap_or_default().trim().trim_matches(['"', '\'']);
    let nothing = matches!(value, "" | "true" | "false" | "null" | "~" | "*" | "!" | "|" | "RANDOM" | "R");
    secret && !nothing && !value.starts_with(['$', '{', '['])
}

/// Reports the first line that holds something secret.
fn sensitive(c: &mut Check<'_>) {
    let Some(text) = read(&c.at) else { return };
    if let Some((number, _)) = lines(&text).find(|(_, line)| is_secret(line)) {
        report(c, number, &[]);
    }
}

/// What the first line should have been, where it stands as a line of its own.
fn header_fix(c: &Check<'_>, text: &str, first: &str, line: u32) -> Option<Fix> {
    let range = place(&c.at, text, line)?;
    let plain = first.trim().replace(' ', "");
    if nearest(&plain, ["#cloud-config"]).is_some() {
        let edits = vec![Edit { range, text: "#cloud-config".into() }];
        return Some(Fix { label: "write #cloud-config".into(), edits });
    }
    let source = Source::read(text.as_bytes());
    let root = source.documents.first()?.root();
    if !root.entries().any(|(key, _)| KEYS.contains(&key)) {
        return None;
    }
    let (_, column) = c.at.document().text().position(range.start);
    let indent = column.saturating_sub(1) as usize;
    let edits =
        vec![Edit { range: range.start..range.start, text: format!("#cloud-config\n{:indent$}", "") }];
    Some(Fix { label: "begin with #cloud-config".into(), edits })
}

/// A workload whose user data follows, for cases in which the line inside the text matters.
macro_rules! workload {
    () => {
        "---
kind: workload
name: web
gvc: shop
spec:
  type: vm
  containers: [{name: vm, cpu: 2, memory: 2Gi}]
  vm:
    bootDisk:
      source: {oci: {image: 'quay.io/containerdisks/ubuntu:22.04'}}
      persist: {volumeSet: 'cpln://volumeset/boot'}
"
    };
}

/// A machine of KubeVirt whose user data follows.
macro_rules! vm {
    () => {
        "---
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {name: web, namespace: shop}
spec:
  runStrategy: Always
  template:
    spec:
      domain:
        memory: {guest: 1Gi}
        devices: {disks: [{name: init, disk: {bus: virtio}}]}
      volumes:
      - name: init
        cloudInitNoCloud:
          userData: |
            #cloud-config
"
    };
}

/// A Secret whose user data follows.
macro_rules! secret {
    () => {
        "---
apiVersion: v1
kind: Secret
metadata: {name: init, namespace: shop}
stringData:
  userdata: |
    #cloud-config
"
    };
}

const UNSEEN: Cel = Cel::No("CEL cannot look into a text");

/// The rows.
pub(super) const RULES: &[Rule] = &[
    Rule {
        id: "cloud-init-header",
        path: PATH,
        text: "user data starts with \"{}\", which cloud-init does not recognise",
        check: |c| {
            let Some(text) = read(&c.at).filter(|text| !is_known(text)) else { return };
            let first = (1..).zip(text.lines()).find(|(_, line)| !line.trim().is_empty());
            let (line, first) = first.unwrap_or((1, ""));
            let shown = crate::text::one_line(first, 40);
            let fix = header_fix(c, &text, first, line);
            report(c, line, &[&shown]).fix(fix);
        },
        bad: &[
            "spec.vm.cloudInit.userData: 'packages: [nginx]'",
            "spec.vm.cloudInit.userData: \"# cloud-config\\npackages: [nginx]\\n\"",
            "spec.vm.cloudInit.userDataBase64: cGFja2FnZXM6IFtuZ2lueF0K",
            concat!(workload!(), "    cloudInit:\n      userData: |\n        # cloud-config # here\n"),
            concat!(workload!(), "    cloudInit:\n      userData: |\n        packages: [nginx] # here\n"),
        ],
        good: &[
            "spec.vm.cloudInit.userData: '#cloud-config'",
            "spec.vm.cloudInit.userData: \"#!/bin/sh\\ntrue\\n\"",
            "spec.vm.cloudInit.userData: '#ps1_sysnative'",
            "spec.vm.cloudInit.userData: 'Content-Type: multipart/mixed; boundary=x'",
            "spec.vm.cloudInit.userDataBase64: I2Nsb3VkLWNvbmZpZwo=",
        ],
        ..WARNING
    },
    Rule {
        id: "cloud-init-yaml",
        level: Level::Error,
        on: KINDS,
        path: ANYWHERE,
        text: "cloud-init cannot read this cloud-config: {}",
        cel: UNSEEN,
        check: |c| {
            let Some(source) = cloud_config(&c.at) else { return };
            if let Some(problem) = source.problems.iter().find(|problem| problem.level == Level::Error) {
                report(c, problem.line, &[&problem.text]);
            } else if let Some(document) = source.documents.first()
                && !(document.root().missing() || document.root().is_map())
            {
                let shown = document.root().shown();
                report(c, line_of(&source, &document.root()), &[&format!("it is {shown}, not a map")]);
            }
        },
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\npackages: [nginx\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\n- nginx\\n\"",
            concat!(
                workload!(),
                "    cloudInit:\n      userData: |\n        #cloud-config\n        timezone: UTC\n        timezone: GMT # here\n"
            ),
            concat!(vm!(), "            packages: [nginx # here\n"),
            "---\napiVersion: v1\nkind: Secret\nmetadata: {name: a, namespace: shop}\ndata:\n  userdata: I2Nsb3VkLWNvbmZpZwpwYWNrYWdlczogW25naW54Cg== # here\n",
        ],
        good: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\npackages: [nginx]\\n\"",
            "spec.vm.cloudInit.userData: '#cloud-config'",
            "spec.vm.cloudInit.userData: \"#!/bin/sh\\necho [\\n\"",
        ],
        ..ERROR
    },
    Rule {
        id: "cloud-init-key",
        on: KINDS,
        path: ANYWHERE,
        text: "cloud-init does not know \"{}\" at the top of a cloud-config; did you mean \"{}\"",
        check: |c| {
            in_config(c, |c, source, root| {
                for (key, entry) in
                    root.entries().filter(|(key, _)| !KEYS.contains(key) && !key.starts_with("x-"))
                {
                    let free = KEYS.iter().copied().filter(|name| root.entry(name).is_none());
                    match nearest(key, free) {
                        Some(near) => report(c, line_of(source, &entry), &[&key, &near]),
                        None => report(c, line_of(source, &entry), &[&key]),
                    };
                }
            });
        },
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\npackage: [nginx]\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nservices: [nginx]\\n\"",
            concat!(
                workload!(),
                "    cloudInit:\n      userData: |\n        #cloud-config\n        timezone: UTC\n        runcmds: [ls] # here\n"
            ),
            concat!(secret!(), "    runcmds: [ls] # here\n"),
        ],
        good: &["spec.vm.cloudInit.userData: \"#cloud-config\\npackages: [nginx]\\nx-mine: 1\\n\""],
        ..WARNING
    },
    Rule {
        id: "cloud-init-reboot",
        on: KINDS,
        path: ANYWHERE,
        text: "\"{}\" in {} ends the guest before cloud-init is done; use power_state",
        check: |c| {
            in_config(c, |c, source, root| {
                for list in ["runcmd", "bootcmd"] {
                    for item in root.get(list).items() {
                        let commands = commands(&item);
                        if let Some(command) = commands.iter().find_map(|command| ends_guest(command)) {
                            let line = source.text.position(item.range().start).0;
                            report(c, line, &[&command, &list]);
                        }
                    }
                }
            });
        },
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nruncmd: [reboot]\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nruncmd: [[systemctl, --no-block, reboot]]\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nbootcmd: ['ls && sudo /sbin/shutdown -r now']\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nruncmd: [[sh, -c, 'sleep 1; init 6']]\\n\"",
            concat!(
                workload!(),
                "    cloudInit:\n      userData: |\n        #cloud-config\n        runcmd:\n        - ls\n        - reboot # here\n"
            ),
            concat!(vm!(), "            runcmd:\n            - reboot # here\n"),
            concat!(secret!(), "    runcmd: [[poweroff]] # here\n"),
        ],
        good: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nruncmd: [echo reboot, [systemctl, enable, nginx]]\\npower_state: {mode: reboot}\\n\"",
        ],
        ..WARNING
    },
    Rule {
        id: "cloud-init-user",
        path: PATH,
        text: "user \"{}\" belongs to the platform, which makes it at every boot",
        check: |c| {
            in_config(c, |c, source, root| {
                for user in root.get("users").items() {
                    let named = user.get("name");
                    let name = if user.is_map() { &named } else { &user };
                    if name.text() == Some("cpln") {
                        report(c, source.text.position(name.range().start).0, &[&"cpln"]);
                    }
                }
            });
        },
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nusers: [default, {name: cpln}]\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nusers: [default, cpln]\\n\"",
        ],
        good: &["spec.vm.cloudInit.userData: \"#cloud-config\\nusers: [default, {name: ops}]\\n\""],
        ..WARNING
    },
    Rule {
        id: "cloud-init-default-user",
        path: PATH,
        text: "users has no \"default\", so nobody gets the keys of sshPublicKeySecrets",
        check: |c| {
            let keys = c.at.holder().get("sshPublicKeySecrets").count() > 0;
            in_config(c, |c, source, root| {
                let users = root.get("users");
                if keys && users.is_list() && !users.items().any(|user| user.text() == Some("default")) {
                    report(c, line_of(source, &users), &[]);
                }
            });
        },
        bad: &[
            "spec.identityLink: //identity/web\nspec.vm.cloudInit: {sshPublicKeySecrets: [//secret/keys], userData: \"#cloud-config\\nusers: [{name: ops}]\\n\"}\nat spec.vm.cloudInit.userData",
        ],
        good: &[
            "spec.vm.cloudInit: {sshPublicKeySecrets: [//secret/keys], userData: \"#cloud-config\\nusers: [default, {name: ops}]\\n\"}",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nusers: [{name: ops}]\\n\"",
        ],
        ..WARNING
    },
    Rule {
        id: "cloud-init-sshd",
        path: PATH,
        text: "\"{}\" collides with what the platform writes at every boot to sign in",
        check: |c| {
            let Some(text) = read(&c.at) else { return };
            for (number, line) in lines(&text) {
                let own = ["TrustedUserCAKeys", "/etc/ssh/cpln"].into_iter().find(|word| line.contains(word));
                let file = line.strip_suffix("/etc/ssh/sshd_config").filter(|rest| rest.ends_with("path: "));
                if let Some(word) = own.or(file.map(|_| "/etc/ssh/sshd_config")) {
                    report(c, number, &[&word]);
                }
            }
        },
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nwrite_files:\\n- path: /etc/ssh/sshd_config\\n  content: x\\n\"",
            "spec.vm.cloudInit.userData: \"#!/bin/sh\\necho TrustedUserCAKeys /etc/ca.pub >> /etc/ssh/sshd_config\\n\"",
        ],
        good: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nwrite_files:\\n- path: /etc/ssh/sshd_config.d/50-mine.conf\\n  content: x\\n\"",
        ],
        ..WARNING
    },
    Rule {
        id: "cloud-init-sensitive",
        path: PATH,
        text: "user data is stored in clear; use userDataSecret",
        check: sensitive,
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\npassword: hunter2\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nusers: [default, {name: ops, hashed_passwd: $6$x}]\\npassword: x\\n\"",
            "spec.vm.cloudInit.userData: \"#!/bin/sh\\nexport DB_PASSWORD=hunter2\\n\"",
            "spec.vm.cloudInit.userData: \"#!/bin/sh\\necho root:hunter2 | chpasswd\\n\"",
            "spec.vm.cloudInit.userDataBase64: I2Nsb3VkLWNvbmZpZwpwYXNzd29yZDogaHVudGVyMgo=",
            concat!(
                workload!(),
                "    cloudInit:\n      userData: |\n        #cloud-config\n        timezone: UTC\n        password: hunter2 # here\n"
            ),
        ],
        good: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nusers: [default, {name: ops, lock_passwd: true}]\\nssh_pwauth: false\\n\"",
            "spec.vm.cloudInit.userData: \"#!/bin/sh\\nexport PASSWORD=$(cat /run/pw)\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\n# password: hunter2\\n\"",
        ],
        ..WARNING
    },
    Rule {
        id: "kubevirt-cloud-init-sensitive",
        on: &[Subject::VirtualMachine, Subject::VirtualMachinePool, Subject::VirtualMachineInstance],
        path: ANYWHERE,
        text: "user data is stored in clear; put it into a Secret and name that in secretRef",
        check: sensitive,
        bad: &[
            "@guest.volumes[0]: {name: root, cloudInitNoCloud: {userData: \"#cloud-config\\npassword: hunter2\\n\"}}\nat @guest.volumes[0].cloudInitNoCloud.userData",
            concat!(vm!(), "            password: hunter2 # here\n"),
        ],
        good: &["@guest.volumes[0]: {name: root, cloudInitNoCloud: {secretRef: {name: a}}}"],
        ..WARNING
    },
    Rule {
        id: "cloud-init-network",
        path: PATH,
        text: "network settings are managed by the platform and cannot be overridden",
        check: |c| {
            let Some(text) = read(&c.at) else { return };
            let top = |line: &str| line.starts_with("network:") && cloud_config(&c.at).is_some();
            let raw = text.lines().collect::<Vec<_>>();
            let found = lines(&text).find(|(number, line)| {
                let raw = raw.get(*number as usize - 1).copied().unwrap_or_default();
                top(raw) || NETWORK.iter().any(|place| line.contains(place))
            });
            if let Some((number, _)) = found {
                report(c, number, &[]);
            }
        },
        bad: &[
            "spec.vm.cloudInit.userData: \"#cloud-config\\nnetwork: {version: 2}\\n\"",
            "spec.vm.cloudInit.userData: \"#cloud-config\\nwrite_files:\\n- path: /etc/netplan/60-mine.yaml\\n  content: x\\n\"",
            concat!(
                workload!(),
                "    cloudInit:\n      userData: |\n        #!/bin/sh\n        cp x /etc/systemd/network/10-x.network # here\n"
            ),
        ],
        good: &["spec.vm.cloudInit.userData: \"#cloud-config\\nruncmd: [ping -c 1 network.example.net]\\n\""],
        ..WARNING
    },
];
