//! `images`: what machines boot from.

use super::Column;
use super::column::{age, name, reason, since, size, state, text, word, yes_no};
use super::view::{Open, Related, Road, Sort, View};
use crate::records::{Image, ImageFlags, Kind};

pub(super) static VIEW: View<Image> = View {
    name: "images",
    aliases: &["image", "img"],
    rows: &[Kind::Image],
    partners: &[],
    shown: |_| true,
    state: |image, now| image.state(now),
    columns: &[
        name(),
        state(),
        reason(),
        Column::<Image>::text("TITLE", 40, |image, _| {
            text(image.record().title.as_deref().map_or("", |title| title.as_str()))
        }),
        Column::<Image>::text("PURPOSE", 24, |image, _| word(image.purpose)),
        Column::<Image>::text("KUBERNETES", 12, |image, _| word(image.kubernetes)),
        Column::<Image>::text("OS", 24, |image, _| word(image.os)).wide(),
        Column::<Image>::bytes("SIZE", |image, _| size(image.size)),
        Column::<Image>::text("PUBLIC", 6, |image, _| yes_no(image.flags.contains(ImageFlags::PUBLIC)))
            .wide(),
        Column::<Image>::text("CLOUD-INIT", 10, |image, _| {
            yes_no(image.flags.contains(ImageFlags::CLOUD_INIT))
        })
        .wide(),
        Column::<Image>::text("INTERFACE", 9, |image, _| word(image.interface)).wide(),
        Column::<Image>::text("CNI", 12, |image, _| word(image.cni)).wide(),
        Column::<Image>::text("SOURCE", 60, |image, _| {
            text(image.record().source.as_deref().map_or("", |source| source.as_str()))
        })
        .wide(),
        Column::<Image>::text("GOLDEN DISK", 60, |image, _| {
            text(image.record().golden_name.as_deref().map_or("", |golden| golden.as_str()))
        })
        .wide(),
        since().wide(),
        age(),
    ],
    sort: Sort::Name,
    open: Open::Detail,
    related: &[
        Related::above(Road::UsedBy, "versions", &[Kind::SupportedVersion]),
        Related::below(
            "golden disk",
            &[Kind::DataSource, Kind::DataVolume, Kind::Claim, Kind::VolumeSnapshot],
        ),
        Related::events(),
    ],
};
