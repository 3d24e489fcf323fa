//! User data as a text: what it is, what its lines say, and where they stand in the document.

use std::borrow::Cow;
use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::super::super::fix::{Edit, Fix};
use super::super::super::patterns::nearest;
use super::super::super::rule::Check;
use super::super::super::source::{Dialect, Source, Spot};
use super::super::super::subject::Subject;

/// The most bytes of user data in a workload.
pub(in super::super) const MOST: usize = 16_384;

/// Beginnings that cloud-init or cloudbase-init knows, in lower case.
pub(super) const HEADERS: &[&str] = &[
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
pub(super) const KEYS: &[&str] = &[
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
pub(super) const NETWORK: &[&str] = &[
    "/etc/netplan",
    "/etc/network/interfaces",
    "/etc/systemd/network",
    "/etc/sysconfig/network-scripts",
    "/etc/NetworkManager/system-connections",
    "/etc/resolv.conf",
];

/// Names of settings whose value nobody else should read.
pub(super) const SECRET_NAMES: &[&str] = &[
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
pub(in super::super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let plain: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    STANDARD.decode(plain).ok()
}

/// Whether a text begins as user data does.
pub(in super::super) fn is_known(text: &str) -> bool {
    let start: String = text.trim_start().chars().take(20).collect::<String>().to_ascii_lowercase();
    HEADERS.iter().any(|header| start.starts_with(header))
}

/// The user data of one field. What is much too long is not looked into.
pub(super) fn read<'a>(at: &Spot<'a>) -> Option<Cow<'a, str>> {
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
pub(in super::super) fn all<'a>(root: &Spot<'a>) -> Option<Cow<'a, str>> {
    let init = root.get("spec.vm.cloudInit");
    if !init.get("userDataSecret").blank() {
        return None;
    }
    let given =
        ["userData", "userDataBase64"].into_iter().map(|key| init.get(key)).find(|field| !field.blank());
    given.map_or(Some(Cow::Borrowed("")), |field| read(&field))
}

/// The user data as a cloud-config, if it says that it is one.
pub(super) fn cloud_config(at: &Spot<'_>) -> Option<Source> {
    let text = read(at)?;
    let first = text.trim_start().lines().next()?;
    (first.trim_end() == "#cloud-config").then(|| Source::read(text.as_bytes()))
}

/// The lines of user data that are no comments, counted from 1.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines.filter(|(number, line)| *number == 1 || !line.starts_with('#'))
}

/// Where a line of the user data stands in the document, if it stands there as a line of its own.
pub(super) fn place(at: &Spot<'_>, text: &str, line: u32) -> Option<Range<usize>> {
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
pub(super) fn report<'c, 'a>(
    c: &'c mut Check<'a>,
    line: u32,
    values: &[&dyn std::fmt::Display],
) -> &'c mut Check<'a> {
    let at = c.at.clone();
    let range = read(&at).and_then(|text| place(&at, &text, line)).unwrap_or_else(|| at.range());
    c.report_in(&at, range, values)
}

pub(super) fn line_of(source: &Source, spot: &Spot<'_>) -> u32 {
    source.text.position(spot.key_range().start).0
}

/// Asks about the map at the top of a cloud-config.
pub(super) fn in_config(c: &mut Check<'_>, ask: impl FnOnce(&mut Check<'_>, &Source, &Spot<'_>)) {
    if let Some(source) = cloud_config(&c.at)
        && let Some(document) = source.documents.first()
    {
        ask(c, &source, &document.root());
    }
}

/// What a command runs that ends the guest: the words of one command.
pub(super) fn ends_guest(command: &str) -> Option<&str> {
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
pub(super) fn commands(item: &Spot<'_>) -> Vec<String> {
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
pub(super) fn is_secret(line: &str) -> bool {
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
pub(super) fn sensitive(c: &mut Check<'_>) {
    let Some(text) = read(&c.at) else { return };
    if let Some((number, _)) = lines(&text).find(|(_, line)| is_secret(line)) {
        report(c, number, &[]);
    }
}

/// What the first line should have been, where it stands as a line of its own.
pub(super) fn header_fix(c: &Check<'_>, text: &str, first: &str, line: u32) -> Option<Fix> {
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
