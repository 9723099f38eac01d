//! Leases as values, and effects that are committed together with their record.

mod effects;
mod endings;
mod leases;
mod renewals;
mod world;
