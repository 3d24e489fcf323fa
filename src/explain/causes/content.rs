//! The content of a disk has come, and is not what was expected, or there is no room for it.

use super::{Cause, cause};
use crate::store::Health::{Busy, Failed};

pub(super) const CAUSES: &[Cause] = &[
    cause(
        "image-too-large",
        Failed,
        r"(?i)virtual image size (?<need_bytes>\d+) is larger than the reported available storage (?<have_bytes>\d+)",
        "no space: {have_bytes} < {need_bytes}",
        "The disk inside the image has {need_bytes}, and this one has room for {have_bytes}: ask for more.",
        &[(
            "Error: Unable to process data: Virtual image size 10737418240 is larger than the reported available storage 5368709120. A larger PVC is required.",
            "no space: 5Gi < 10Gi",
        )],
    ),
    cause(
        "disk-too-small",
        Failed,
        r"DataVolume too small to contain image|effective image size is larger than the reported available storage",
        "no space for the image",
        "The disk inside the image is larger than this one: ask for more.",
        &[("Error: DataVolume too small to contain image", "no space for the image")],
    ),
    cause(
        "no-space-during-transfer",
        Failed,
        r"no space left on device|disk quota exceeded|file largest block is bigger than maxblock",
        "no space left while writing",
        "The volume or the scratch space ran full: unpacked, the image is larger than expected, or the storage behind it is full.",
        &[(
            "unable to write to file: write /scratch/tmpimage: no space left on device",
            "no space left while writing",
        )],
    ),
    cause(
        "unsupported-format",
        Failed,
        r"Invalid format (?<format>\S+) for image",
        "format {format} is not supported",
        "CDI does not read the format {format}: convert the image to qcow2.",
        &[("Invalid format luks for image /scratch/tmpimage", "format luks is not supported")],
    ),
    cause(
        "backing-file",
        Failed,
        r"invalid backing file (?<file>\S+)",
        "needs its backing file {file}",
        "The image is a layer over {file}: merge the two first (qemu-img convert).",
        &[(
            "Image /data/disk.img is invalid because it has invalid backing file base.qcow2",
            "needs its backing file base.qcow2",
        )],
    ),
    cause(
        "damaged-archive",
        Failed,
        r"could not create (?<kind>gzip|zst|xz) reader|(?:gzip|flate): (?:invalid|corrupt)|unable to untar files",
        "damaged archive {kind}",
        "The packed image is cut off or damaged, or is not packed in the way that it says.",
        &[
            ("could not create xz reader: xz: invalid header", "damaged archive xz"),
            ("gzip: invalid header", "damaged archive"),
        ],
    ),
    cause(
        "permission-denied",
        Failed,
        r"(?:/data/disk\.img|cdi-block-volume).*[Pp]ermission denied|[Uu]nable to change permissions of target file",
        "may not write to the volume",
        "The importer runs without rights of its own and may not write to this volume: NFS that squashes root, or a container runtime that does not hand devices to users.",
        &[(
            r#"could not open file "/data/disk.img": open /data/disk.img: permission denied"#,
            "may not write to the volume",
        )],
    ),
    cause(
        "qemu-killed",
        Failed,
        r"qemu-img execution failed: : signal: killed",
        "qemu-img was killed",
        "qemu-img was killed: out of memory, or it took longer than 30 seconds to look at the image.",
        &[("qemu-img execution failed: : signal: killed", "qemu-img was killed")],
    ),
    cause(
        "damaged-image",
        Failed,
        r"could not convert image to raw|Image is corrupt|Invalid json for image",
        "damaged image",
        "qemu-img cannot read the image to its end: it is damaged or cut off.",
        &[(
            "Conversion to Raw failed: could not convert image to raw: qemu-img execution failed: qemu-img: error while reading",
            "damaged image",
        )],
    ),
    cause(
        "node-pull-waits",
        Busy,
        r"Timeout waiting for file /shared/ready",
        "the node is still pulling the image",
        "The node is still pulling the image; the importer waits a minute at a time for that.",
        &[("Timeout waiting for file /shared/ready", "the node is still pulling the image")],
    ),
];
