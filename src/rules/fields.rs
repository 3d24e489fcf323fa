//! Which fields a document may have, and of what type each is.
//!
//! A line is a field with its type; fields below it are indented. The types: `text`, `int`, `number`, `bool`, `word` (a text or a
//! number, as quantities are), `texts` (a list of texts), `map` (with the fields below), `list` (of maps with the fields below),
//! `any` (not looked into), `=name` (a map with the fields of another table of `fields/`).

use std::collections::HashMap;
use std::sync::LazyLock;

use super::fix::Fix;
use super::patterns::nearest;
use super::rule::Check;
use super::source::{Dialect, Spot, Value};
use super::subject::Subject;

const SEED: &str = "
kind text
name text
gvc text
description text
tags any
id any
version any
created any
lastModified any
links any
health any
status any
";

const KUBERNETES: &str = "
apiVersion text
kind text
metadata map
  name text
  generateName text
  namespace text
  labels any
  annotations any
  finalizers texts
  ownerReferences any
  resourceVersion text
  uid any
  generation any
  creationTimestamp any
  deletionTimestamp any
  deletionGracePeriodSeconds any
  managedFields any
  selfLink any
status any
";

const WORKLOAD: &str = "
spec map
  type text
  containers list
    name text
    cpu word
    memory word
    minCpu word
    minMemory word
    image any
    command any
    args any
    workingDir any
    lifecycle any
    port any
    gpu any
    inheritEnv bool
    ports list
      number int
      protocol text
    metrics map
      port int
      path text
      dropMetrics texts
    readinessProbe map
      exec any
      grpc any
      tcpSocket map
        port int
      httpGet map
        path text
        port int
        scheme text
        httpHeaders list
          name text
          value text
      initialDelaySeconds int
      periodSeconds int
      timeoutSeconds int
      successThreshold int
      failureThreshold int
    livenessProbe map
      exec any
      grpc any
      tcpSocket map
        port int
      httpGet map
        path text
        port int
        scheme text
        httpHeaders list
          name text
          value text
      initialDelaySeconds int
      periodSeconds int
      timeoutSeconds int
      successThreshold int
      failureThreshold int
    volumes list
      uri text
      name text
      bus text
      serial text
      cdrom bool
      bootOrder int
      path any
      recoveryPolicy text
    env list
      name text
      value text
  vm map
    bootDisk map
      source map
        oci map
          image text
        http map
          url text
          checksum text
        persist any
      persist map
        volumeSet text
      bus text
      bootOrder int
    cpu map
      sockets int
      threads int
    firmware map
      bootloader text
      secureBoot bool
      uuid text
      serial text
      smbios any
    guestOS text
    networks list
      name text
    cloudInit map
      userData text
      userDataBase64 text
      userDataSecret text
      sshPublicKeySecrets texts
    accessCredentials list
      sshPublicKeySecret text
      users texts
      deliveryMethod text
    runStrategy text
    clock map
      timezone text
    hostname text
    subdomain text
  identityLink text
  firewallConfig map
    external map
      inboundAllowCIDR texts
      inboundBlockedCIDR texts
      outboundAllowCIDR texts
      outboundBlockedCIDR texts
      outboundAllowHostname texts
      outboundAllowPort list
        protocol text
        number int
      http map
        inboundHeaderFilter list
          key text
          allowedValues texts
          blockedValues texts
    internal map
      inboundAllowType text
      inboundAllowWorkload texts
    http any
  defaultOptions map
    autoscaling map
      metric text
      minScale number
      maxScale number
      target any
      multi any
      keda any
      metricPercentile any
      maxConcurrency any
      scaleToZeroDelay any
    timeoutSeconds int
    capacityAI bool
    capacityAIUpdateMinutes int
    debug bool
    suspend bool
    multiZone map
      enabled bool
  localOptions list
    location text
    autoscaling map
      metric text
      minScale number
      maxScale number
      target any
      multi any
      keda any
      metricPercentile any
      maxConcurrency any
      scaleToZeroDelay any
    timeoutSeconds int
    capacityAI bool
    capacityAIUpdateMinutes int
    debug bool
    suspend bool
    multiZone map
      enabled bool
  supportDynamicTags bool
  rolloutOptions map
    minReadySeconds int
    maxUnavailableReplicas word
    terminationGracePeriodSeconds int
    maxSurgeReplicas any
    scalingPolicy any
  loadBalancer map
    replicaDirect any
    direct map
      enabled bool
      ipSet text
      ports list
        externalPort int
        protocol text
        scheme text
        containerPort any
    geoLocation map
      enabled bool
      headers map
        asn text
        city text
        country text
        region text
  requestRetryPolicy map
    attempts int
    retryOn texts
  extras any
  sidecar any
  securityOptions any
  job any
";

const VOLUME_SET: &str = "
spec map
  initialCapacity any
  performanceClass text
  fileSystemType text
  storageClassSuffix text
  snapshots map
    createFinalSnapshot bool
    retentionDuration text
    schedule text
  autoscaling map
    maxCapacity number
    minFreePercentage number
    scalingFactor number
    predictive map
      enabled bool
      lookbackHours number
      projectionHours number
      minDataPoints number
      minGrowthRateGBPerHour number
      scalingFactor number
  mountOptions map
    resources map
      minCpu word
      maxCpu word
      minMemory word
      maxMemory word
  customEncryption any
";

/// A field with what may stand in it.
#[derive(Debug, Default)]
pub struct Field {
    /// What it is called.
    pub name: &'static str,
    /// Its type, in the words of the tables.
    pub type_: &'static str,
    /// The fields below it, of a map or of each item of a list.
    pub below: Vec<Self>,
}

/// What may stand in the specification of a kind that somebody else defines, where that is known whole.
#[must_use]
pub fn specification(subject: Subject) -> Option<&'static Field> {
    PASTED_KINDS.get(&subject)?.below.iter().find(|field| field.name == "spec")
}

fn read(texts: &[&'static str]) -> Field {
    fn fill(
        into: &mut Vec<Field>,
        lines: &mut std::iter::Peekable<impl Iterator<Item = &'static str>>,
        indent: usize,
    ) {
        while let Some(line) = lines.peek() {
            let own = line.len() - line.trim_start().len();
            if own < indent {
                return;
            }
            if own > indent {
                match into.last_mut() {
                    Some(last) => fill(&mut last.below, lines, own),
                    None => return,
                }
                continue;
            }
            let (name, type_) = line.trim().split_once(' ').unwrap_or((line.trim(), "any"));
            into.push(match type_.strip_prefix('=') {
                Some(table) => Field { name, ..read(&[table_of(table)]) },
                None => Field { name, type_, below: Vec::new() },
            });
            lines.next();
        }
    }
    let mut root = Field { type_: "map", ..Field::default() };
    for text in texts {
        fill(&mut root.below, &mut text.lines().filter(|line| !line.is_empty()).peekable(), 0);
    }
    root
}

static WORKLOADS: LazyLock<[Field; 2]> =
    LazyLock::new(|| [read(&[SEED, WORKLOAD]), read(&[KUBERNETES, WORKLOAD])]);
static VOLUME_SETS: LazyLock<[Field; 2]> =
    LazyLock::new(|| [read(&[SEED, VOLUME_SET]), read(&[KUBERNETES, VOLUME_SET])]);

/// The tables of kinds that others define, which have Kubernetes' form only.
const TABLES: &[(&str, &str)] = &[
    ("guest", include_str!("fields/guest.txt")),
    ("machine", include_str!("fields/machine.txt")),
    ("pool", include_str!("fields/pool.txt")),
    ("migration", include_str!("fields/migration.txt")),
    ("machinesnapshot", include_str!("fields/machinesnapshot.txt")),
    ("machinerestore", include_str!("fields/machinerestore.txt")),
    ("datavolume", include_str!("fields/datavolume.txt")),
    ("datasource", include_str!("fields/datasource.txt")),
    ("dataimportcron", include_str!("fields/dataimportcron.txt")),
    ("volumesnapshot", include_str!("fields/volumesnapshot.txt")),
    ("virtink", include_str!("fields/virtink.txt")),
    ("osartifact", include_str!("fields/osartifact.txt")),
];

fn table_of(name: &str) -> &'static str {
    TABLES.iter().find(|(own, _)| *own == name).map_or("", |(_, table)| table)
}

/// The kinds of others with what stands in their specification.
const PASTED: &[(Subject, &str)] = &[
    (Subject::VirtualMachine, "spec =machine"),
    (Subject::VirtualMachineInstance, "spec =guest"),
    (Subject::VirtualMachinePool, "spec =pool"),
    (Subject::MachineMigration, "spec =migration"),
    (Subject::MachineSnapshot, "spec =machinesnapshot"),
    (Subject::MachineRestore, "spec =machinerestore"),
    (Subject::DataVolume, "spec =datavolume"),
    (Subject::DataSource, "spec =datasource"),
    (Subject::DataImportCron, "spec =dataimportcron"),
    (Subject::VolumeSnapshot, "spec =volumesnapshot"),
    (Subject::VirtinkMachine, "spec =virtink"),
    (Subject::OsArtifact, "spec =osartifact"),
];

static PASTED_KINDS: LazyLock<HashMap<Subject, Field>> =
    LazyLock::new(|| PASTED.iter().map(|(subject, spec)| (*subject, read(&[KUBERNETES, spec]))).collect());

fn schema(c: &Check<'_>) -> Option<&'static Field> {
    let document = c.at.document();
    let both = match document.subject() {
        Subject::Workload => &*WORKLOADS,
        Subject::VolumeSet => &*VOLUME_SETS,
        other => return PASTED_KINDS.get(&other),
    };
    Some(&both[usize::from(document.dialect() == Dialect::Kubernetes)])
}

/// Reports every key that no field has.
pub(super) fn unknown(c: &mut Check<'_>) {
    unknown_but(c, |_| false);
}

/// Reports every key that no field has, except those that other rules speak about.
pub(super) fn unknown_but(c: &mut Check<'_>, said: fn(&Spot<'_>) -> bool) {
    if let Some(schema) = schema(c) {
        unknown_below(c, &c.root(), schema, said);
    }
}

fn unknown_below(c: &mut Check<'_>, at: &Spot<'_>, schema: &'static Field, said: fn(&Spot<'_>) -> bool) {
    if schema.type_ == "list" {
        for item in at.items() {
            unknown_in_map(c, &item, schema, said);
        }
    } else if schema.type_ == "map" {
        unknown_in_map(c, at, schema, said);
    }
}

fn unknown_in_map(c: &mut Check<'_>, at: &Spot<'_>, schema: &'static Field, said: fn(&Spot<'_>) -> bool) {
    for (key, entry) in at.entries() {
        if let Some(field) = schema.below.iter().find(|field| field.name == key) {
            unknown_below(c, &entry, field, said);
            continue;
        }
        if c.is_full() {
            return;
        }
        if said(&entry) {
            continue;
        }
        let free = schema.below.iter().map(|field| field.name).filter(|name| at.entry(name).is_none());
        match nearest(key, free) {
            Some(near) => c.report_key(&entry, &[&key, &near]).fix(Fix::rename(&entry, near)),
            None => _ = c.report_key(&entry, &[&key]),
        }
    }
}

/// Reports every value that its field cannot hold.
pub(super) fn wrong_types(c: &mut Check<'_>) {
    if let Some(schema) = schema(c) {
        wrong_below(c, &c.root(), schema);
    }
}

fn wrong_below(c: &mut Check<'_>, at: &Spot<'_>, schema: &'static Field) {
    let Some(value) = at.value().filter(|value| **value != Value::Null) else { return };
    let (fits, wanted) = match (schema.type_, value) {
        ("any", _) => (true, ""),
        ("map", value) => (matches!(value, Value::Map(_)), "a map"),
        ("list" | "texts", value) => (matches!(value, Value::List(_)), "a list"),
        ("bool", value) => (matches!(value, Value::Bool(_)), "true or false"),
        ("text", value) => (matches!(value, Value::Text(_)), "a text"),
        ("word", value) => {
            (matches!(value, Value::Text(_) | Value::Int(_) | Value::Float(_)), "a text or a number")
        }
        // Rules about ranges speak about numbers that are not whole.
        (_, value) => (matches!(value, Value::Int(_) | Value::Float(_)), "a number"),
    };
    if !fits {
        let key = at.key().unwrap_or("the document");
        let (shown, fix) = (at.shown(), fitting(at, schema.type_));
        let shown = if at.text().is_some() { format!("\"{shown}\"").into() } else { shown };
        c.report_at(at, &[&key, &wanted, &shown]).fix(fix);
        return;
    }
    match schema.type_ {
        "list" => at.items().for_each(|item| match item.value() {
            Some(Value::Map(_)) => wrong_in_map(c, &item, schema),
            _ => _ = c.report_at(&item, &[&format!("an item of {}", schema.name), &"a map", &item.shown()]),
        }),
        "texts" => at.items().filter(|item| item.text().is_none()).for_each(|item| {
            c.report_at(&item, &[&format!("an item of {}", schema.name), &"a text", &item.shown()]);
        }),
        "map" => wrong_in_map(c, at, schema),
        _ => {}
    }
}

fn wrong_in_map(c: &mut Check<'_>, at: &Spot<'_>, schema: &'static Field) {
    for (key, entry) in at.entries() {
        if let Some(field) = schema.below.iter().find(|field| field.name == key) {
            wrong_below(c, &entry, field);
        }
    }
}

/// The same in the right type, where only quotes are too many or too few.
fn fitting(at: &Spot<'_>, type_: &str) -> Option<Fix> {
    match (type_, at.value()?) {
        ("text", Value::Int(_) | Value::Float(_) | Value::Bool(_)) => Fix::quote(at),
        ("bool", Value::Text(text)) if matches!(text.as_str(), "true" | "false") => Fix::bare(at, text),
        ("int" | "number", Value::Text(text)) if text.parse::<i64>().is_ok() => Fix::bare(at, text),
        _ => None,
    }
}
