//! Sorting, stable, with one copy of the algorithm for all types. The standard library's makes one
//! for each type and order, some five kilobytes of a download that has a limit.

use std::cmp::Ordering;

pub trait Order<T> {
    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering);

    /// Asks for each key once.
    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K);

    fn order(&mut self)
    where
        T: Ord,
    {
        self.order_by(T::cmp);
    }
}

impl<T> Order<T> for [T] {
    fn order_by(&mut self, compare: impl Fn(&T, &T) -> Ordering) {
        let places = places(self.len(), &|a, b| compare(&self[a], &self[b]));
        put(self, places);
    }

    fn order_by_key<K: Ord>(&mut self, key: impl Fn(&T) -> K) {
        let keys: Vec<K> = self.iter().map(key).collect();
        put(self, places(keys.len(), &|a, b| keys[a].cmp(&keys[b])));
    }
}

fn put<T>(all: &mut [T], mut places: Vec<usize>) {
    for at in 0..places.len() {
        while places[at] != at {
            let to = places[at];
            all.swap(at, to);
            places.swap(at, to);
        }
    }
}

/// The place that each of `n` things has once they are in order.
#[inline(never)]
fn places(n: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..n).collect();
    sorted.sort_by(|a, b| compare(*a, *b));
    let mut places = vec![0; n];
    for (place, one) in sorted.into_iter().enumerate() {
        places[one] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::Order;

    #[test]
    fn is_the_standard_order() {
        for n in 0..60 {
            let mut ours: Vec<(usize, usize)> = (0..n).map(|i| (i * i % 11, i)).collect();
            let mut theirs = ours.clone();
            theirs.sort_by_key(|one| one.0);
            ours.order_by_key(|one| one.0);
            assert_eq!(ours, theirs);
            ours.order_by(|a, b| b.cmp(a));
            theirs.sort_by(|a, b| b.cmp(a));
            assert_eq!(ours, theirs);
            ours.order();
            theirs.sort();
            assert_eq!(ours, theirs);
        }
    }
}
