//! Where a run may differ from its recording, and why. While the recordings were made, KubeVirt's and CDI's controllers were
//! at work, but scheduler, kubelet, CSI drivers and virt-handler were a script that wrote what the controllers wait for.

/// What comes and goes with chance, in the recordings themselves: of which objects, which states or events (both with `**`
/// for anything), and why. It is left out of both sides.
pub(super) const PASSING: &[(&str, &str, &str)] = &[
    (
        "events of PersistentVolumeClaim/**",
        "Normal ExternalProvisioning: **",
        "told as often as somebody looks",
    ),
    ("events of PersistentVolumeClaim/**", "Normal Provisioning: **", SCRIPT),
    ("events of PersistentVolumeClaim/**", "Normal ProvisioningSucceeded: **", SCRIPT),
    ("events of PersistentVolumeClaim/**", "**Error saving claim: **", RACE),
    (
        "events of PersistentVolumeClaim/**",
        "Warning ErrCreatingPVCPrime: persistentvolumeclaims \"prime-UID\" already exists",
        RACE,
    ),
    ("events of DataVolume/**", "**Error saving claim: **", RACE),
    ("events of DataVolume/**", "Normal Pending: **Import Successful", RACE),
    ("events of DataVolume/**", "Normal NotFound: No PVC found", RACE),
    ("events of DataVolume/**", "Normal ImportScheduled: **", SCRIPT),
    ("events of Pod/**", "**", SCRIPT),
    ("events of VolumeSnapshot/**", "**", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal Created: VirtualMachineInstance defined.", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal Started: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal ShuttingDown: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "** Stopped: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal PreparingTarget: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal Migrat**", SCRIPT),
    ("datavolumes/**", "Pending Bound=False/NotFound Ready=False/ Running=False/", RACE),
    ("datavolumes/**", "ImportScheduled Bound=False/Pending Ready=False/ Running=False/", SCRIPT),
    (
        "datavolumes/**",
        "ImportScheduled Bound=False/Pending Ready=False/ Running=False/ContainerCreating",
        SCRIPT,
    ),
    ("dataimportcrons/**", "Progressing=False/ImportScheduled UpToDate=False/ImportProgressing", SCRIPT),
    ("persistentvolumeclaims/prime-UID-scratch**", "Bound", "the script bound no scratch space"),
    ("virtualmachines/**", "Stopped Ready=False/VMINotExists", RACE),
    ("virtualmachines/**", "Starting Ready=False/VMINotExists", RACE),
    ("virtualmachines/**", "Provisioning Ready=False/VMINotExists", RACE),
    ("virtualmachines/**", "WaitingForVolumeBinding **", RACE),
    ("virtualmachines/**", "ErrImagePull **", "the script's images were always backed off from"),
    (
        "virtualmachineinstances/**",
        "**Synchronized=False/ErrImagePull",
        "the script's images were always backed off from",
    ),
];

const SCRIPT: &str = "who does this was a script, which was faster or more silent";
const RACE: &str = "two controllers look at the same time, and either may be first";

/// States that are the same, to whom they belong, and why.
pub(super) const SAME: &[(&str, &str, &str, &str)] = &[(
    "datavolumes/**",
    "Pending Bound=False/Pending Ready=False/ Running=False/",
    "Bound=False/Pending Ready=False/ Running=False/",
    "the phase of one that was looked at before its claim was there",
)];

/// Recordings (`*` for all), objects (`**` for anything), and why they differ.
pub(super) const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("*", "pods/**", "the script wrote fewer conditions than a kubelet, and never ended a pod"),
    ("import-checksum", "**", "the script's importer said it in words in which CDI does not see a checksum"),
];
