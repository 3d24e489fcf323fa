//! What the disks of a machine are made of: images, addresses, golden disks.

use super::Column;
use super::column::{Sets, word};
use crate::model::Word;
use crate::records::{DataVolume, Kind, VirtinkVm, Vm, Vmi};
use crate::store::{At, Row, SortKey};

/// A machine whose disks can be looked at.
pub(super) trait Made {
    /// What its disks are made of, each once, those with a disk of their own first.
    fn images(self) -> Vec<Word>;
}

fn images<'a, R: Row>(machine: At<'a, R>, own: Word) -> Vec<Word> {
    let disks = machine.parts::<DataVolume>().map(|disk: At<'a, DataVolume>| disk.image);
    let mut all: Vec<Word> = Vec::new();
    for image in disks.chain([own]) {
        if !image.is_empty() && !all.contains(&image) {
            all.push(image);
        }
    }
    all
}

impl Made for At<'_, Vm> {
    fn images(self) -> Vec<Word> {
        images(self, self.image)
    }
}

impl Made for At<'_, Vmi> {
    fn images(self) -> Vec<Word> {
        images(self, self.image)
    }
}

impl Made for At<'_, VirtinkVm> {
    fn images(self) -> Vec<Word> {
        images(self, self.image)
    }
}

/// The column of what disks are made of, which `image:` in a filter looks at.
pub(super) const fn image<R: Row>(
    key: for<'a> fn(At<'a, R>, crate::model::Now) -> SortKey<'a>,
    text: for<'a> fn(At<'a, R>, crate::model::Now, &mut String),
) -> Column<R> {
    // The end of an address says most, so it gives way in its middle.
    Column::<R>::text("IMAGE", 60, key).written(text).wide().within(Sets::STORAGE).giving_way(20)
}

/// The first of what disks are made of.
pub(super) fn image_key(images: &[Word]) -> SortKey<'static> {
    images.first().map_or(SortKey::Nothing, |&first| word(first))
}

/// Writes all that the disks of a machine are made of; what is not known yet may say more.
pub(super) fn write_images<R: Row>(machine: At<'_, R>, images: &[Word], out: &mut String) {
    for (at, image) in images.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        out.push_str(image);
    }
    match images {
        [] if !machine.knows(Kind::DataVolume) => out.push('…'),
        [] => out.push('-'),
        _ => {}
    }
}
