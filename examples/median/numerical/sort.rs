//! A sort that leaves equal elements where Go's `sort.Slice` leaves them.
//!
//! Go sorts with pattern-defeating quicksort (Orson Peters), which is deterministic but not stable: from 13 elements
//! on, equal prices come out in an order that is neither the input's nor any other simple one. That order becomes
//! the list of observers in the report, hence part of what is signed. Rust's own sorts are stable or follow another
//! variant of the algorithm, so neither will do.

use std::ops::Range;

/// Ranges up to this long are sorted by insertion.
const INSERTION_MAX: usize = 12;
/// From this length on the pivot is the median of three medians.
const NINTHER_MIN: usize = 50;
/// Below this length an almost sorted range is not repaired by shifting.
const SHIFTING_MIN: usize = 50;
/// How many misplaced elements are repaired before a range no longer counts as almost sorted.
const REPAIRS_MAX: usize = 5;
/// All twelve comparisons of a pivot choice swapped: the range descends.
const SWAPS_MAX: usize = 12;

/// Sorts `items` in place by `less`, which must be a strict weak order.
pub fn sort_by<T>(items: &mut [T], less: impl FnMut(&T, &T) -> bool) {
    let all = 0..items.len();
    let depth = bit_length(items.len());
    Sorter { items, less }.quicksort(all, depth);
}

/// What the choice of a pivot revealed about the range.
#[derive(PartialEq)]
enum Hint {
    Ascending,
    Descending,
    Nothing,
}

struct Sorter<'a, T, F> {
    items: &'a mut [T],
    less: F,
}

impl<T, F: FnMut(&T, &T) -> bool> Sorter<'_, T, F> {
    fn less(&mut self, a: usize, b: usize) -> bool {
        (self.less)(&self.items[a], &self.items[b])
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.items.swap(a, b);
    }

    /// `bad_splits` is how many unbalanced partitions are allowed before heap sort takes over.
    fn quicksort(&mut self, mut range: Range<usize>, mut bad_splits: u32) {
        let mut balanced = true;
        let mut already_partitioned = true;
        while range.len() > INSERTION_MAX {
            if bad_splits == 0 {
                return self.heap_sort(range);
            }
            if !balanced {
                self.break_patterns(range.clone());
                bad_splits -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(range.clone());
            if hint == Hint::Descending {
                self.items[range.clone()].reverse();
                pivot = (range.end - 1) - (pivot - range.start);
                hint = Hint::Ascending;
            }
            if balanced && already_partitioned && hint == Hint::Ascending && self.repair(range.clone()) {
                return;
            }
            // Everything before the range is at most its smallest element. When the pivot is not above its left
            // neighbour, it is that smallest element, and all of its equals are done at once.
            if range.start > 0 && !self.less(range.start - 1, pivot) {
                range.start = self.partition_equal(range.clone(), pivot);
                continue;
            }
            let (middle, untouched) = self.partition(range.clone(), pivot);
            already_partitioned = untouched;
            let (left, right) = (range.start..middle, middle + 1..range.end);
            // The element at `middle` counts to the right side here.
            let (left_len, right_len) = (left.len(), range.end - middle);
            let least = range.len() / 8;
            if left_len < right_len {
                balanced = left_len >= least;
                self.quicksort(left, bad_splits);
                range = right;
            } else {
                balanced = right_len >= least;
                self.quicksort(right, bad_splits);
                range = left;
            }
        }
        self.insertion_sort(range);
    }

    fn insertion_sort(&mut self, range: Range<usize>) {
        for next in range.start + 1..range.end {
            self.sink(next, range.start);
        }
    }

    /// Moves the element at `at` towards `floor` while it is below its left neighbour.
    fn sink(&mut self, mut at: usize, floor: usize) {
        while at > floor && self.less(at, at - 1) {
            self.swap(at, at - 1);
            at -= 1;
        }
    }

    fn heap_sort(&mut self, range: Range<usize>) {
        let (base, len) = (range.start, range.len());
        for root in (0..=(len - 1) / 2).rev() {
            self.sift_down(base, root, len);
        }
        for end in (0..len).rev() {
            self.swap(base, base + end);
            self.sift_down(base, 0, end);
        }
    }

    /// Restores the heap of `len` elements from `base` below `root`.
    fn sift_down(&mut self, base: usize, mut root: usize, len: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= len {
                return;
            }
            if child + 1 < len && self.less(base + child, base + child + 1) {
                child += 1;
            }
            if !self.less(base + root, base + child) {
                return;
            }
            self.swap(base + root, base + child);
            root = child;
        }
    }

    /// Splits the range into what is below the pivot and what is not; answers where the pivot ended up, and whether
    /// nothing but the pivot had to move.
    fn partition(&mut self, range: Range<usize>, pivot: usize) -> (usize, bool) {
        let first = range.start;
        self.swap(first, pivot);
        let (mut low, mut high) = (first + 1, range.end - 1);
        let mut untouched = true;
        loop {
            while low <= high && self.less(low, first) {
                low += 1;
            }
            while low <= high && !self.less(high, first) {
                high -= 1;
            }
            if low > high {
                self.swap(high, first);
                return (high, untouched);
            }
            self.swap(low, high);
            untouched = false;
            low += 1;
            high -= 1;
        }
    }

    /// Splits the range into the equals of the pivot, its smallest element, and what is above; answers where the
    /// latter begins.
    fn partition_equal(&mut self, range: Range<usize>, pivot: usize) -> usize {
        let first = range.start;
        self.swap(first, pivot);
        let (mut low, mut high) = (first + 1, range.end - 1);
        loop {
            while low <= high && !self.less(first, low) {
                low += 1;
            }
            while low <= high && self.less(first, high) {
                high -= 1;
            }
            if low > high {
                return low;
            }
            self.swap(low, high);
            low += 1;
            high -= 1;
        }
    }

    /// Finishes an almost sorted range; answers whether it is sorted now.
    fn repair(&mut self, range: Range<usize>) -> bool {
        let mut at = range.start + 1;
        for _ in 0..REPAIRS_MAX {
            while at < range.end && !self.less(at, at - 1) {
                at += 1;
            }
            if at == range.end {
                return true;
            }
            if range.len() < SHIFTING_MIN {
                return false;
            }
            self.swap(at, at - 1);
            if at - range.start >= 2 {
                // Down to the very first element, not only to the range's: that is where Go stops.
                self.sink(at - 1, 0);
            }
            if range.end - at >= 2 {
                for right in at + 1..range.end {
                    if !self.less(right, right - 1) {
                        break;
                    }
                    self.swap(right, right - 1);
                }
            }
        }
        false
    }

    /// Scatters three elements around the middle, so that no input makes all partitions lopsided.
    fn break_patterns(&mut self, range: Range<usize>) {
        let len = range.len();
        if len < 8 {
            return;
        }
        let mut random = len as u64;
        let mask = (1_u64 << bit_length(len)) - 1;
        let middle = range.start + len / 4 * 2;
        for near in [middle - 1, middle, middle + 1] {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // Below twice the length, so one subtraction brings it into the range.
            let other = (random & mask) as usize;
            self.swap(near, range.start + if other < len { other } else { other - len });
        }
    }

    fn choose_pivot(&mut self, range: Range<usize>) -> (usize, Hint) {
        let len = range.len();
        let quarter = |n: usize| range.start + len / 4 * n;
        let (mut a, mut b, mut c) = (quarter(1), quarter(2), quarter(3));
        let mut swaps = 0;
        if len >= 8 {
            if len >= NINTHER_MIN {
                a = self.median(a - 1, a, a + 1, &mut swaps);
                b = self.median(b - 1, b, b + 1, &mut swaps);
                c = self.median(c - 1, c, c + 1, &mut swaps);
            }
            b = self.median(a, b, c, &mut swaps);
        }
        let hint = match swaps {
            0 => Hint::Ascending,
            SWAPS_MAX => Hint::Descending,
            _ => Hint::Nothing,
        };
        (b, hint)
    }

    /// The index of the median of three elements. Counts how often a pair was out of order.
    fn median(&mut self, mut a: usize, mut b: usize, mut c: usize, swaps: &mut usize) -> usize {
        let mut order = |x: &mut usize, y: &mut usize| {
            if self.less(*y, *x) {
                std::mem::swap(x, y);
                *swaps += 1;
            }
        };
        order(&mut a, &mut b);
        order(&mut b, &mut c);
        order(&mut a, &mut b);
        b
    }
}

/// How many bits it takes to write `n`.
fn bit_length(n: usize) -> u32 {
    usize::BITS - n.leading_zeros()
}
