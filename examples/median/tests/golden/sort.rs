//! The order in which Go's sort leaves equal elements.

use crate::golden::section;
use crate::numerical::sort;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn ties_come_out_as_in_go() {
    for case in section("sort", 84) {
        let keys: Vec<i64> = case[0].as_array().unwrap().iter().map(|key| key.as_i64().unwrap()).collect();
        let mut order: Vec<usize> = (0..keys.len()).collect();
        sort::sort_by(&mut order, |a, b| keys[*a] < keys[*b]);
        assert_eq!(json!(order), case[1], "{case}");
    }
}

proptest! {
    /// Long inputs reach what 31 oracles never do: medians of medians, descending runs, shifting.
    #[test]
    fn everything_comes_out_sorted(mut items in prop_oneof![
        prop::collection::vec(0_u32..8, 0..300),
        prop::collection::vec(any::<u32>(), 0..300),
        (0_u32..400, 0_u32..400, any::<bool>()).prop_map(|(len, odd, down)| {
            let mut items: Vec<u32> = (0..len).collect();
            if down { items.reverse() }
            if let Some(item) = items.get_mut(odd as usize) { *item = odd / 2 }
            items
        }),
    ]) {
        let mut expected = items.clone();
        expected.sort_unstable();
        sort::sort_by(&mut items, |a, b| a < b);
        prop_assert_eq!(items, expected);
    }
}
