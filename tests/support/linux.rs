//! A real Linux in an emulated machine, whose serial port is a socket: a kernel of the distribution, busybox, and QEMU. Where one
//! of them is missing, tests are skipped and say so.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{deadline, poll, suite};

/// A machine that is switched on. It boots as soon as somebody reads its serial port, and is switched off with this.
pub struct Linux {
    child: Child,
    folder: tempfile::TempDir,
}

/// What the machine runs first.
const INIT: &str = "#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
hostname guest
dmesg -n 1
while :; do getty -L ttyS0 115200 vt220; done
";

impl Linux {
    /// Switches a machine on; `None` where it cannot be made, which is reported as a skipped test.
    ///
    /// # Panics
    ///
    /// When QEMU does not start.
    #[must_use]
    pub fn boot() -> Option<Self> {
        let parts = (
            find("V9S_GUEST_KERNEL", &[]),
            find("V9S_BUSYBOX", &["/bin/busybox", "/usr/bin/busybox"]),
            qemu(),
        );
        let (Some(kernel), Some(busybox), Some(qemu)) = parts else {
            suite::report(&format!(
                "skipped: a real guest needs a kernel (V9S_GUEST_KERNEL), a static busybox and qemu-system-x86_64: {parts:?}"
            ));
            return None;
        };
        let folder = tempfile::tempdir().expect("a folder");
        let disk = folder.path().join("initramfs");
        fs::write(&disk, initramfs(&fs::read(busybox).expect("busybox"))).expect("a disk");
        let socket = folder.path().join("serial");
        let child = Command::new(qemu)
            .args(["-accel", "tcg", "-m", "256", "-display", "none", "-monitor", "none", "-nic", "none"])
            .arg("-kernel")
            .arg(kernel)
            .arg("-initrd")
            .arg(disk)
            .args(["-append", "console=ttyS0 panic=-1"])
            .arg("-serial")
            .arg(format!("unix:{},server=on,wait=on", socket.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("QEMU starts");
        let machine = Self { child, folder };
        poll(deadline(), || machine.socket().exists().then_some(())).expect("a serial port");
        Some(machine)
    }

    /// Its serial port.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("serial")
    }
}

impl Drop for Linux {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The file that a variable names, or the first of these that there is.
fn find(variable: &str, usual: &[&str]) -> Option<PathBuf> {
    let named = std::env::var_os(variable).map(PathBuf::from);
    named.into_iter().chain(usual.iter().map(PathBuf::from)).find(|path| path.is_file())
}

fn qemu() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("qemu-system-x86_64")).find(|path| path.is_file())
}

/// A file system for the kernel to unpack (the format of `cpio -H newc`).
fn initramfs(busybox: &[u8]) -> Vec<u8> {
    const FOLDER: u32 = 0o040_755;
    const PROGRAM: u32 = 0o100_755;
    const FILE: u32 = 0o100_644;
    let mut out = Vec::new();
    for folder in ["bin", "dev", "etc", "proc", "root", "sys", "tmp"] {
        entry(folder, FOLDER, b"", &mut out);
    }
    entry("bin/busybox", PROGRAM, busybox, &mut out);
    entry("init", PROGRAM, INIT.as_bytes(), &mut out);
    entry("etc/passwd", FILE, b"root::0:0:root:/root:/bin/sh\n", &mut out);
    entry("etc/issue", FILE, b"A real Linux\n", &mut out);
    entry("TRAILER!!!", 0, b"", &mut out);
    out
}

fn entry(name: &str, mode: u32, content: &[u8], out: &mut Vec<u8>) {
    let number = |value: usize| format!("{value:08x}");
    let (inode, links) = (out.len() + 1, 1);
    let fields = [inode, mode as usize, 0, 0, links, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
    out.extend_from_slice(b"070701");
    fields.into_iter().for_each(|field| out.extend_from_slice(number(field).as_bytes()));
    out.extend_from_slice(name.as_bytes());
    out.push(0);
    out.resize(out.len().next_multiple_of(4), 0);
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// The option that puts the machine's serial port behind a guest's console.
#[must_use]
pub fn behind(guest: &str, socket: &Path) -> String {
    format!("{guest}=unix:{}", socket.display())
}
