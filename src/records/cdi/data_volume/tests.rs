use super::*;
use crate::records::decode;

fn volume(json: &str) -> DataVolume {
    decode(json.as_bytes()).unwrap().record
}

#[test]
fn an_import_keeps_how_far_it_is() {
    let volume = volume(
        r#"{"metadata":{"name":"root","namespace":"shop","annotations":{"cdi.kubevirt.io/storage.usePopulator":"true"}},
        "spec":{"source":{"http":{"url":"https://x"}},"storage":{"storageClassName":"fast","resources":{"requests":{"storage":"5Gi"}}}},
        "status":{"claimName":"root","phase":"ImportInProgress","progress":"45.32%","restartCount":3,"conditions":[
        {"type":"Bound","status":"False","reason":"Pending","message":"target PVC root Pending","lastTransitionTime":"2026-11-21T10:00:00Z"},
        {"type":"Ready","status":"False","reason":"TransferRunning","lastTransitionTime":"2026-11-21T10:00:09Z"},
        {"type":"Running","status":"False","reason":"Error","message":"expected 200,\n got 404","lastTransitionTime":null}]}}"#,
    );
    assert_eq!((&*volume.phase, &*volume.class), ("ImportInProgress", "fast"));
    assert_eq!((volume.progress, volume.restarts, volume.requested), (Some(453), 3, 5 << 30));
    assert_eq!((volume.running, &*volume.running_reason), (Truth::False, "Error"));
    assert_eq!((volume.bound, &*volume.bound_reason), (Truth::False, "Pending"));
    assert_eq!(**volume.trouble.as_ref().unwrap(), *"expected 200, got 404");
    assert_eq!((volume.source, volume.from), (SourceKind::Http, None));
    assert_eq!(volume.flags, DataVolumeFlags::POPULATOR);
    assert_eq!(volume.since, Time::parse("2026-11-21T10:00:09Z"));
}

#[test]
fn sources_are_told_apart() {
    let space = Word::new("shop");
    let from = |kind, name| Some(name_key(kind, space, name));
    let cases = [
        (r#""source":{"registry":{"url":"docker://x"}}"#, SourceKind::Registry, None),
        (r#""source":{"s3":{}}"#, SourceKind::S3, None),
        (r#""source":{"gcs":{}}"#, SourceKind::Gcs, None),
        (r#""source":{"upload":{}}"#, SourceKind::Upload, None),
        (r#""source":{"blank":{},"http":null}"#, SourceKind::Blank, None),
        (r#""source":{"imageio":{}}"#, SourceKind::Imageio, None),
        (r#""source":{"vddk":{}}"#, SourceKind::Vddk, None),
        (r#""source":{"pvc":{"name":"a"}}"#, SourceKind::Claim, from(Kind::Claim, "a")),
        (
            r#""source":{"snapshot":{"name":"a","namespace":"shop"}}"#,
            SourceKind::Snapshot,
            from(Kind::VolumeSnapshot, "a"),
        ),
        (
            r#""sourceRef":{"kind":"DataSource","name":"a"}"#,
            SourceKind::DataSource,
            from(Kind::DataSource, "a"),
        ),
        (r#""source":{},"sourceRef":null"#, SourceKind::None, None),
    ];
    for (spec, kind, from) in cases {
        let found = volume(&format!(r#"{{"metadata":{{"name":"b","namespace":"shop"}},"spec":{{{spec}}}}}"#));
        assert_eq!((found.source, found.from), (kind, from), "{spec}");
        assert!(kind == SourceKind::None || spec.contains(kind.as_str()));
    }
}

#[test]
fn trouble_is_what_no_healthy_run_says() {
    let cases = [
        (
            r#"{"type":"Bound","status":"False","reason":"ErrClaimNotValid","message":"no class"}"#,
            Some("no class"),
        ),
        (r#"{"type":"Bound","status":"False","reason":"Pending","message":"PVC a Pending"}"#, None),
        (r#"{"type":"Running","status":"False","reason":"Completed","message":"Import Complete"}"#, None),
        (r#"{"type":"Running","status":"True","reason":"Pod is running","message":"x"}"#, None),
        (
            r#"{"type":"Bound","status":"False","reason":"E","message":"b"},{"type":"Running","status":"False","reason":"E","message":"r"}"#,
            Some("r"),
        ),
    ];
    let cases = cases.into_iter().chain([
        (r#"{"type":"Running","status":"False","reason":"Error","message":"{\"scratchSpaceRequired\":true}"}"#, None),
        (r#"{"type":"Running","status":"False","reason":"Scratch space required","message":"none found"}"#, None),
    ]);
    for (conditions, want) in cases {
        let found =
            volume(&format!(r#"{{"metadata":{{"name":"a"}},"status":{{"conditions":[{conditions}]}}}}"#));
        assert_eq!(found.trouble.as_deref().map(|text| &**text), want, "{conditions}");
        assert_eq!(found.flags, DataVolumeFlags::empty());
    }
}

#[test]
fn null_missing_and_odd_numbers_are_borne() {
    let nulls = volume(
        r#"{"metadata":{"name":"a","annotations":null},"spec":{"source":null,"storage":null,"pvc":null},
        "status":{"claimName":null,"phase":null,"progress":null,"restartCount":null,"conditions":null}}"#,
    );
    assert_eq!(nulls, volume(r#"{"metadata":{"name":"a"}}"#));
    assert_eq!(nulls.flags, DataVolumeFlags::UNTOUCHED);
    let mut links = Vec::new();
    nulls.has_parts(&mut |key| links.push(key));
    assert_eq!(links, [name_key(Kind::Claim, Word::default(), "a")]);
    let odd = volume(
        r#"{"metadata":{"name":"a"},"spec":{"pvc":{"storageClassName":"slow","resources":{"requests":{"storage":1e9}}}},
        "status":{"claimName":"b","progress":"N/A","restartCount":4294967296}}"#,
    );
    assert_eq!((odd.requested, &*odd.class), (1_000_000_000, "slow"));
    assert_eq!((odd.progress, odd.restarts), (None, u16::MAX));
    assert_eq!(odd.claim, Some(name_key(Kind::Claim, Word::default(), "b")));
}

#[test]
fn what_a_disk_is_made_of_is_told_without_logins() {
    for (source, want) in [
        (
            r#""source":{"http":{"url":"https://me:pw@images.example/a/ubuntu.img?sig=x#y"}}"#,
            "https://images.example/a/ubuntu.img",
        ),
        (r#""source":{"http":{"url":"https://images.example/u@1.img"}}"#, "https://images.example/u@1.img"),
        (
            r#""source":{"registry":{"url":"docker://quay.io/disks/ubuntu:24.04"}}"#,
            "docker://quay.io/disks/ubuntu:24.04",
        ),
        (r#""source":{"registry":{"imageStream":"rhel"}}"#, "rhel"),
        (r#""source":{"s3":{"url":"s3://bucket/disk"}}"#, "s3://bucket/disk"),
        (r#""source":{"pvc":{"name":"golden","namespace":"images"}}"#, "golden"),
        (r#""sourceRef":{"kind":"DataSource","name":"fedora"}"#, "fedora"),
        (r#""source":{"snapshot":{"name":"of-today"}}"#, ""),
        (r#""source":{"blank":{}}"#, ""),
        (r#""source":null"#, ""),
    ] {
        let json = format!(r#"{{"metadata":{{"name":"a","namespace":"shop"}},"spec":{{{source}}}}}"#);
        let found: DataVolume = decode(json.as_bytes()).unwrap().record;
        assert_eq!(&*found.image, want, "{source}");
    }
}
