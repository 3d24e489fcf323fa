//! What stands in user data: what cloud-init will make of it, and what the platform will.

mod text;

use self::text::{
    KEYS, NETWORK, cloud_config, commands, ends_guest, header_fix, in_config, line_of, lines, read, report,
    sensitive,
};
pub(super) use self::text::{MOST, all, decoded, is_known};
use super::super::finding::Level;
use super::super::patterns::nearest;
use super::super::rule::{Cel, ERROR, Rule, WARNING};
use super::super::subject::Subject;

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
