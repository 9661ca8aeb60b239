//! Handing the role of the primary over to a replica: FAILOVER.

/// A failover under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failover {
    /// The replica that is to become the primary; None for the first one that has everything.
    pub target: Option<(String, u16)>,
    /// Take over at the time limit even if the target has not got everything.
    pub force: bool,
    /// In the server's ticks.
    pub deadline: Option<i64>,
    /// The target has been told; before, it is waited for.
    pub told: bool,
}

impl Failover {
    /// As INFO has it.
    pub fn state_name(&self) -> &'static str {
        if self.told { "failover-in-progress" } else { "waiting-for-sync" }
    }
}
