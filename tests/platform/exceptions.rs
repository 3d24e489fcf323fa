//! Where a run may differ from its recording, and why.

/// What comes and goes with chance, in the recordings themselves: of which objects, which states or events (both with `**`
/// for any end), and why. It is left out of both sides.
pub(super) const PASSING: &[(&str, &str, &str)] = &[(
    "events of PersistentVolumeClaim/**",
    "Normal ExternalProvisioning: **",
    "the claim controller repeats it as often as it looks",
)];

/// Recordings (`*` for all), objects (`**` for any end), and why they differ.
pub(super) const EXCEPTIONS: &[(&str, &str, &str)] = &[];
