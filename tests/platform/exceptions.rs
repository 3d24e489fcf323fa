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
    ("events of VirtualMachineInstance/**", "Normal Paused: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal Unpaused: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal PreparingTarget: **", SCRIPT),
    ("events of VirtualMachineInstance/**", "Normal Migrat**", SCRIPT),
    ("datavolumes/**", "Pending Bound=False/NotFound Ready=False/ Running=False/", RACE),
    ("datavolumes/**", "ImportScheduled Bound=False/Pending Ready=False/ Running=False/", SCRIPT),
    (
        "datavolumes/**",
        "ImportScheduled Bound=False/Pending Ready=False/ Running=False/ContainerCreating",
        SCRIPT,
    ),
    ("datavolumes/**", "UploadScheduled **", SCRIPT),
    ("events of DataVolume/**", "Normal UploadScheduled: **", SCRIPT),
    ("dataimportcrons/**", "Progressing=False/ImportScheduled UpToDate=False/ImportProgressing", SCRIPT),
    ("persistentvolumeclaims/prime-UID-scratch**", "Bound", "the script bound no scratch space"),
    ("persistentvolumeclaims/tmp-pvc-UID", "Lost", RACE),
    ("virtualmachines/**", "Stopped Ready=False/VMINotExists", RACE),
    ("virtualmachines/**", "Starting Ready=False/VMINotExists", RACE),
    ("virtualmachines/**", "Provisioning Ready=False/VMINotExists", RACE),
    ("virtualmachines/**", "WaitingForVolumeBinding **", RACE),
    ("virtualmachines/**", "CrashLoopBackOff Ready=False/PodTerminating", RACE),
    ("virtualmachine**", "**Ready=False/ReadinessGatesNotReady**", "the script knew no readiness gates"),
    ("virtualmachines/**", "ErrImagePull **", "the script's images were always backed off from"),
    (
        "virtualmachineinstances/**",
        "**Synchronized=False/ErrImagePull",
        "the script's images were always backed off from",
    ),
];

const SCRIPT: &str = "who does this was a script, which was faster or more silent";
pub(super) const RACE: &str = "two controllers look at the same time, and either may be first";

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
    // With the snapshot taken its claim goes, and the hidden one with it, be it marked as lost by then or not.
    ("import-cron", "persistentvolumeclaims/prime-UID**", RACE),
    ("import-first-consumer", "events of PersistentVolumeClaim/root", RACE),
    ("import-provisioner-silent", "datavolumes/root", NO_SCHEDULER),
    ("import-provisioner-silent", "events of DataVolume/root", NO_SCHEDULER),
    (
        "import-scratch-pending",
        "**",
        "an importer that needs scratch space ends well, and another one follows; the script let it fail",
    ),
    ("pool-scaled", "virtualmachineinstances/runners-0", ENDED),
    ("pool-scaled", "virtualmachines/runners-0", ENDED),
    ("pool-three", "events of VirtualMachinePool/runners", RACE),
    ("pool-three", "virtualmachine**", "the script started none of them"),
    ("pool-three", "events of VirtualMachine**", RACE),
    (
        "upload-waiting",
        "events of Endpoints/**",
        "a controller that is not at work here did not like the script's address",
    ),
    (
        "upload-waiting",
        "events of Service/**",
        "a controller that is not at work here did not like the script's address",
    ),
    ("vm-import-then-scheduled", "events of PersistentVolumeClaim/prime-UID", ENDED),
    ("vm-import-then-scheduled", "persistentvolumeclaims/prime-UID", ENDED),
    ("vm-restore-waits-for-stop", "virtualmachineinstances/web", "the script skipped two phases"),
    (
        "vm-restored",
        "events of DataVolume/restore-UID-root",
        "whether it was imported or only bound is told by chance",
    ),
    ("vm-restored", "persistentvolumeclaims/web-root", ENDED),
];

const NO_SCHEDULER: &str = "nobody scheduled the importer, who waits for its claim";
const ENDED: &str = "the recording ends before";

/// Recordings whose script did not know some conditions yet: they are left out of both sides.
pub(super) const UNKNOWN: &[(&str, &[&str])] = &[
    ("vm-import-then-scheduled", &["StorageLiveMigratable=True/", "DataVolumesReady=True/AllDVsReady"]),
    ("vm-running", &["StorageLiveMigratable=True/"]),
    ("vm-stopped-by-user", &["StorageLiveMigratable=True/"]),
];
