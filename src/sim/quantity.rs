//! Resource quantities as the numbers the cluster counts with.

use crate::kube::quantity::Quantity;
use k8s_openapi::apimachinery::pkg::api::resource;

/// Thousandths, rounded up; None for what is no quantity.
pub(crate) fn millis(text: &str) -> Option<i128> {
    Quantity::parse(text).ok().map(|quantity| i128::from(quantity.milli()))
}

/// Whole units, rounded up.
pub(crate) fn units_of(quantity: &resource::Quantity) -> Option<u64> {
    Quantity::of(quantity).and_then(|q| u64::try_from(q.value()).ok())
}

pub(crate) fn millis_of(quantity: &resource::Quantity) -> Option<u64> {
    Quantity::of(quantity).and_then(|q| u64::try_from(q.milli()).ok())
}
