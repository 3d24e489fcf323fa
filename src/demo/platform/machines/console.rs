//! What launchers and guests write.

use std::time::Duration;

use super::super::object::Object;
use super::super::view::View;
use super::guest::{self, System};
use super::launcher;

/// When a line comes after the guest's start, in tenths of a second, and what it says. `{host}`, `{pretty}` and the like
/// stand for the guest's own.
type Script = &'static [(u64, &'static str)];

const LINUX: Script = &[
    (20, "SeaBIOS (version 1.16.3-4.el9)"),
    (20, "Machine UUID {uuid}"),
    (21, "Booting from Hard Disk..."),
    (24, "[    0.000000] Linux version {release} ({kernel})"),
    (
        24,
        "[    0.000000] Command line: BOOT_IMAGE=(hd0,gpt3)/vmlinuz-{release} root=/dev/vda4 console=tty0 console=ttyS0,115200n8",
    ),
    (25, "[    0.000000] Hypervisor detected: KVM"),
    (26, "[    0.412334] smpboot: Allowing {cpus} CPUs, 0 hotplug CPUs"),
    (28, "[    0.934180] virtio_blk virtio2: [vda] 20971520 512-byte logical blocks (10.7 GB/10.0 GiB)"),
    (30, "[    1.304417] systemd[1]: Detected virtualization kvm."),
    (30, "[    1.305102] systemd[1]: Hostname set to <{host}>."),
    (35, "[  OK  ] Reached target basic.target - Basic System."),
    (40, "[  OK  ] Started systemd-networkd.service - Network Configuration."),
    (
        50,
        "cloud-init[612]: Cloud-init v. 24.2 running 'init' at Sat, 21 Nov 2026 10:00:04 +0000. Up 4.31 seconds.",
    ),
    (52, "ci-info: | {device} | True |        {ip}       |  255.255.255.0  | global |"),
    (60, "[  OK  ] Started sshd.service - OpenSSH server daemon."),
    (70, "[  OK  ] Started qemu-guest-agent.service - QEMU Guest Agent."),
    (
        80,
        "cloud-init[701]: Cloud-init v. 24.2 finished at Sat, 21 Nov 2026 10:00:11 +0000. Datasource DataSourceNoCloud [seed=/dev/vdb].  Up 9.12 seconds",
    ),
    (90, ""),
    (90, "{pretty}"),
    (90, "Kernel {release} on an x86_64 (ttyS0)"),
    (90, ""),
    (91, "{host} login: "),
];

const CIRROS: Script = &[
    (20, "SeaBIOS (version 1.16.3-4.el9)"),
    (21, "Booting from Hard Disk..."),
    (24, "[    0.000000] Linux version {release} ({kernel})"),
    (25, "[    0.000000] Hypervisor detected: KVM"),
    (30, "info: initramfs: up at 1.02"),
    (32, "info: copying initramfs to /dev/vda1"),
    (36, "info: initramfs loading root from /dev/vda1"),
    (38, "info: /etc/init.d/rc.sysinit: up at 2.71"),
    (40, "Starting network: dhcpcd-9.4.1 starting"),
    (44, "{device}: leased {ip} for 86313600 seconds"),
    (48, "Top of dropbear init script"),
    (49, "Starting dropbear sshd: OK"),
    (60, "=== system information ==="),
    (60, "Platform: KubeVirt None/RHEL"),
    (60, "Container: none"),
    (60, "Arch: x86_64"),
    (60, "CPU(s): {cpus} @ 2445.404 MHz"),
    (62, "  ____               ____  ____"),
    (62, " / __/ __ ____ ____ / __ \\/ __/"),
    (62, "/ /__ / // __// __// /_/ /\\ \\ "),
    (62, "\\___//_//_/  /_/   \\____/___/ "),
    (62, "   http://cirros-cloud.net"),
    (64, ""),
    (64, "login as 'cirros' user. default password: 'gocubsgo'. use 'sudo' for root."),
    (65, "{host} login: "),
];

const WINDOWS: Script = &[
    (
        20,
        "BdsDxe: loading Boot0002 \"Windows Boot Manager\" from HD(1,GPT)/\\EFI\\Microsoft\\Boot\\bootmgfw.efi",
    ),
    (22, "BdsDxe: starting Boot0002 \"Windows Boot Manager\""),
    (90, "<?xml version=\"1.0\"?>"),
    (90, "<machine-info>"),
    (90, "<name>{host}</name>"),
    (90, "<os-name>{pretty}</os-name>"),
    (90, "</machine-info>"),
    (92, "Computer is booting, SAC started and initialized."),
    (92, "Use the \"ch -?\" command for information about using channels."),
    (93, "SAC>"),
];

const LAUNCHER: Script = &[
    (
        3,
        r#"{"component":"virt-launcher","level":"info","msg":"Collected all requested hook sidecar sockets","pos":"manager.go:92"}"#,
    ),
    (
        4,
        r#"{"component":"virt-launcher","level":"info","msg":"Connecting to libvirt daemon: qemu+unix:///session?socket=/var/run/libvirt/virtqemud-sock","pos":"libvirt.go:637"}"#,
    ),
    (
        8,
        r#"{"component":"virt-launcher","level":"info","msg":"Marked as ready","pos":"virt-launcher.go:75"}"#,
    ),
    (
        15,
        r#"{"component":"virt-launcher","level":"info","msg":"Executing PreStartHook on VMI pod environment","name":"{name}","namespace":"{namespace}","pos":"manager.go:571","uid":"{uid}"}"#,
    ),
    (
        18,
        r#"{"component":"virt-launcher","level":"info","msg":"Driver cache mode for /var/run/kubevirt-private/vmi-disks/root/disk.img set to none","pos":"converter.go:455"}"#,
    ),
    (
        20,
        r#"{"component":"virt-launcher","kind":"","level":"info","msg":"Domain defined.","name":"{name}","namespace":"{namespace}","pos":"manager.go:1137","uid":"{uid}"}"#,
    ),
    (
        25,
        r#"{"component":"virt-launcher","kind":"","level":"info","msg":"Domain started.","name":"{name}","namespace":"{namespace}","pos":"manager.go:1165","uid":"{uid}"}"#,
    ),
];

fn script(system: &System) -> Script {
    match system.id {
        "cirros" => CIRROS,
        "mswindows" => WINDOWS,
        _ => LINUX,
    }
}

/// What a container of a launcher pod writes.
pub(super) fn lines(view: &View<'_>, pod: &Object, container: &str, _: u32) -> Vec<(Duration, String)> {
    let Some(vmi) = launcher::instance_of(view, pod) else { return Vec::new() };
    let system = guest::system(view, vmi);
    // A guest that moves in has booted elsewhere, long ago.
    let moves_in = !pod.label("kubevirt.io/migrationJobUID").is_empty();
    let script = match container {
        "compute" => LAUNCHER,
        "guest-console-log" if moves_in => &[],
        "guest-console-log" => script(system),
        _ => return Vec::new(),
    };
    let words = [
        ("{host}", pod.text("/spec/hostname").to_owned()),
        ("{pretty}", system.pretty.to_owned()),
        ("{release}", system.kernel_release.to_owned()),
        ("{kernel}", system.kernel_version.to_owned()),
        ("{device}", system.device.to_owned()),
        ("{ip}", pod.text("/status/podIP").to_owned()),
        ("{cpus}", launcher::processors(vmi).to_string()),
        ("{uuid}", vmi.text("/spec/domain/firmware/uuid").to_owned()),
        ("{name}", vmi.name().to_owned()),
        ("{namespace}", vmi.namespace().to_owned()),
        ("{uid}", vmi.uid().to_owned()),
    ];
    let filled =
        |text: &str| words.iter().fold(text.to_owned(), |text, (word, value)| text.replace(word, value));
    // A guest without an agent has no service for it, either.
    let agent = guest::has_agent(view, vmi);
    let lines = script.iter().filter(|(_, text)| agent || !text.contains("qemu-guest-agent"));
    lines.map(|(tenths, text)| (Duration::from_millis(tenths * 100), filled(text))).collect()
}
