//! What KubeVirt, CDI and Virtink write into objects before they are stored, and which they refuse.
//!
//! On a real cluster admission webhooks do this. The embedded server has a place for them ([`server::Admission`]), and
//! [`Webhooks`] goes there: statuses, reasons, names of fields and texts are those that virt-api gave for each mistake,
//! odd ones included, so that what an editor or kubectl shows is what its user will see on a cluster. What the real ones
//! let pass passes here, too.
//!
//! | File | Looks at |
//! |---|---|
//! | `machines` | machines, instances, pools; the order of the checks |
//! | `types` | types and amounts, before anything else |
//! | `guest`, `compute`, `firmware`, `network`, `disks`, `volumes` | parts of an instance |
//! | `operations` | migrations, snapshots, restores |
//! | `eviction` | evictions of machines' pods |
//! | `schema` | what the API server refuses by itself |
//! | `datavolumes`, `virtink` | the other projects |
//! | `mutate` | what is written into objects |
//! | `place`, `quantity`, `said` | spots, amounts, refusals |
//!
//! On a cluster without webhooks the controllers' part of it is played with [`default_instance`] and
//! [`refuse_instance`].
//!
//! [`server::Admission`]: super::server::Admission

mod compute;
mod datavolumes;
mod disks;
mod eviction;
mod firmware;
mod guest;
mod machines;
mod mutate;
mod network;
mod operations;
mod place;
mod quantity;
mod said;
mod schema;
#[cfg(test)]
mod tests;
mod types;
mod virtink;
mod volumes;

use serde_json::Value;

use super::server::{Admission, Denial, Kept, Lookup, Review};
pub use mutate::{INSTANCE_FINALIZER, default_instance};
use said::Said;

/// Who the controllers of KubeVirt are: nobody else may change the instance of a running guest.
pub const CONTROLLER: &str = "system:serviceaccount:kubevirt:kubevirt-controller";

/// The webhooks of all projects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Webhooks;

/// When a webhook is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Create,
    Update,
    Both,
}

impl On {
    fn applies(self, old: Option<&Value>) -> bool {
        match self {
            Self::Create => old.is_none(),
            Self::Update => old.is_some(),
            Self::Both => true,
        }
    }
}

/// A webhook that changes objects: its name, group and plural of the kind, when, what it does.
type Mutating =
    (&'static str, &'static str, &'static str, On, fn(&Review<'_>, &mut Value) -> Result<(), Said>);

/// A webhook that judges objects. One without a name is the API server itself.
type Validating =
    (&'static str, &'static str, &'static str, On, fn(&Review<'_>, &Value) -> Result<Vec<String>, Said>);

const KUBEVIRT: &str = "kubevirt.io";
const SNAPSHOT: &str = "snapshot.kubevirt.io";
const POOL: &str = "pool.kubevirt.io";
const CDI: &str = "cdi.kubevirt.io";
const VIRTINK: &str = "virt.virtink.smartx.com";
const INSTANCES: &str = "virtualmachineinstances";
const CREATE_INSTANCE: &str = "virtualmachineinstances-create-validator.kubevirt.io";

const MUTATING: &[Mutating] = &[
    ("virtualmachines-mutator.kubevirt.io", KUBEVIRT, "virtualmachines", On::Both, |review, vm| {
        machines::readable_machine(vm)?;
        mutate::machine(vm, review.old.is_none());
        Ok(())
    }),
    ("virtualmachineinstances-mutator.kubevirt.io", KUBEVIRT, INSTANCES, On::Create, |review, vmi| {
        machines::readable_instance(vmi)?;
        eviction::default_strategy(review, vmi);
        default_instance(vmi);
        Ok(())
    }),
    (
        "migrations-mutator.kubevirt.io",
        KUBEVIRT,
        "virtualmachineinstancemigrations",
        On::Create,
        operations::mutate_migration,
    ),
    ("datavolume-mutate.cdi.kubevirt.io", CDI, "datavolumes", On::Create, datavolumes::mutate),
    (
        "mutate.virtualmachine.v1alpha1.virt.virtink.smartx.com",
        VIRTINK,
        "virtualmachines",
        On::Both,
        |_, vm| {
            mutate::virtink(vm);
            Ok(())
        },
    ),
];

const VALIDATING: &[Validating] = &[
    ("", POOL, "virtualmachinepools", On::Both, schema::pool),
    ("virtualmachine-validator.kubevirt.io", KUBEVIRT, "virtualmachines", On::Both, machines::validate),
    (CREATE_INSTANCE, KUBEVIRT, INSTANCES, On::Create, machines::validate_instance),
    (
        "virtualmachineinstances-update-validator.kubevirt.io",
        KUBEVIRT,
        INSTANCES,
        On::Update,
        machines::validate_instance_update,
    ),
    (
        "virtualmachinereplicaset-validator.kubevirt.io",
        KUBEVIRT,
        "virtualmachineinstancereplicasets",
        On::Both,
        machines::validate_set,
    ),
    (
        "virtualmachinepool-validator.kubevirt.io",
        POOL,
        "virtualmachinepools",
        On::Both,
        machines::validate_pool,
    ),
    (
        "migration-create-validator.kubevirt.io",
        KUBEVIRT,
        "virtualmachineinstancemigrations",
        On::Create,
        operations::validate_migration,
    ),
    (
        "migration-update-validator.kubevirt.io",
        KUBEVIRT,
        "virtualmachineinstancemigrations",
        On::Update,
        operations::validate_migration_update,
    ),
    (
        "virtualmachinesnapshot-validator.snapshot.kubevirt.io",
        SNAPSHOT,
        "virtualmachinesnapshots",
        On::Both,
        operations::validate_snapshot,
    ),
    (
        "virtualmachinerestore-validator.snapshot.kubevirt.io",
        SNAPSHOT,
        "virtualmachinerestores",
        On::Both,
        operations::validate_restore,
    ),
    ("datavolume-validate.cdi.kubevirt.io", CDI, "datavolumes", On::Both, datavolumes::validate),
    ("dataimportcron-validate.cdi.kubevirt.io", CDI, "dataimportcrons", On::Both, datavolumes::validate_cron),
    (
        "populator-validate.cdi.kubevirt.io",
        CDI,
        "volumeimportsources",
        On::Update,
        datavolumes::validate_populator,
    ),
    (
        "populator-validate.cdi.kubevirt.io",
        CDI,
        "volumeuploadsources",
        On::Update,
        datavolumes::validate_populator,
    ),
    (
        "validate.virtualmachine.v1alpha1.virt.virtink.smartx.com",
        VIRTINK,
        "virtualmachines",
        On::Both,
        virtink::validate,
    ),
    (
        "validate.virtualmachinemigration.v1alpha1.virt.virtink.smartx.com",
        VIRTINK,
        "virtualmachinemigrations",
        On::Both,
        virtink::validate_migration,
    ),
];

/// Whether a change only lets go of an object that is being deleted. That is never refused.
fn ends(review: &Review<'_>, object: &Value) -> bool {
    review.old.is_some() && !object["metadata"]["deletionTimestamp"].is_null()
}

impl Admission for Webhooks {
    fn mutate(&self, review: &Review<'_>, object: &mut Value) -> Result<(), Denial> {
        if ends(review, object) {
            return Ok(());
        }
        for (name, group, plural, on, change) in MUTATING {
            if (*group, *plural) == (review.group, review.plural) && on.applies(review.old) {
                change(review, object).map_err(|said| said.of(name))?;
            }
        }
        Ok(())
    }

    fn validate(&self, review: &Review<'_>, object: &Value) -> Result<Vec<String>, Denial> {
        let mut warnings = Vec::new();
        if ends(review, object) {
            return Ok(warnings);
        }
        for (name, group, plural, on, judge) in VALIDATING {
            if (*group, *plural) == (review.group, review.plural) && on.applies(review.old) {
                warnings.extend(judge(review, object).map_err(|said| said.of(name))?);
            }
        }
        Ok(warnings)
    }

    fn evict(&self, review: &Review<'_>, pod: &Value) -> Result<(), Kept> {
        eviction::judge(review, pod)
    }
}

/// A cluster with nothing in it.
struct Nothing;

impl Lookup for Nothing {
    fn get(&self, _: &str, _: &str, _: &str, _: &str) -> Option<Value> {
        None
    }

    fn list(&self, _: &str, _: &str, _: &str) -> Vec<Value> {
        Vec::new()
    }
}

/// Why an instance may not be created, in the words of the API server that asks KubeVirt's webhook:
/// `admission webhook "…" denied the request: no memory requested, …`. None where it may.
///
/// Call it with what [`default_instance`] has filled in.
pub fn refuse_instance(vmi: &Value) -> Option<String> {
    let review = Review {
        group: KUBEVIRT,
        plural: INSTANCES,
        namespace: vmi["metadata"]["namespace"].as_str().unwrap_or_default(),
        old: None,
        user: CONTROLLER,
        around: &Nothing,
    };
    let judged = machines::readable_instance(vmi)
        .map_err(|said| said.of("virtualmachineinstances-mutator.kubevirt.io"))
        .and_then(|()| machines::validate_instance(&review, vmi).map_err(|said| said.of(CREATE_INSTANCE)));
    judged.err().map(|denial| denial.message)
}
