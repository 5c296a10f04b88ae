//! Numbers: the element types that can be differentiated, and their functions.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "the formulas that call these functions come with the table of operations"
)]
pub(crate) mod mathematics;
