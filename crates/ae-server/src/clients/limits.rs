//! How much of the server's memory a client may use.

use super::client::Client;
use super::output::FIXED_BUFFER;
use super::replica::Phase;
use crate::config::output_limits::{OutputLimit, OutputLimits};

impl Client {
    fn output_limit<'a>(&self, limits: &'a OutputLimits) -> &'a OutputLimit {
        match self.is_replica() {
            true => &limits.replica,
            false if self.subscriptions.is_some() => &limits.pubsub,
            false => &limits.normal,
        }
    }

    /// How much output may wait for it from now on. A replica's is looked at regularly alone, since a copy is as long as
    /// it is, and a primary gets none.
    pub fn limit_output(&mut self, limits: &OutputLimits) {
        let is_bounded = !self.is_replica() && !self.is_primary;
        let hard = if is_bounded { self.output_limit(limits).hard } else { 0 };
        self.output.set_limit(usize::try_from(hard).unwrap_or(usize::MAX));
    }

    /// The output that counts: of a replica only the stream, since a copy is as long as it is.
    fn waiting_output(&self) -> usize {
        match &self.replica {
            Some(replica) if matches!(replica.phase, Phase::Copied | Phase::Settles) => replica.held.pending(),
            _ => self.output.pending(),
        }
    }

    /// Whether so much output waits for it, or for so long, that it is closed. To be asked regularly.
    pub fn exceeds(&mut self, limits: &OutputLimits, ticks: i64) -> bool {
        let OutputLimit { hard, soft, soft_seconds } = *self.output_limit(limits);
        // As in Redis, what its fixed buffer would hold counts as nothing.
        let waiting = Some(self.waiting_output()).filter(|waiting| *waiting > FIXED_BUFFER).unwrap_or(0) as u64;
        if soft == 0 || waiting < soft {
            self.above_soft_limit_since = None;
        }
        if (hard > 0 && waiting >= hard) || self.output.dropped() > 0 {
            return true;
        }
        if soft == 0 || waiting < soft {
            return false;
        }
        let since = *self.above_soft_limit_since.get_or_insert(ticks);
        ticks - since >= i64::from(soft_seconds) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::acl::users::Users;
    use crate::clients::replica::Replica;
    use std::sync::Arc;

    #[test]
    fn hard_and_soft_limits() {
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        let normal = OutputLimit { hard: 100_000, soft: 50_000, soft_seconds: 2 };
        let limits = OutputLimits { normal, ..OutputLimits::default() };
        client.output.bytes = vec![0; 49_999];
        assert!(!client.exceeds(&limits, 0));
        client.output.bytes = vec![0; 50_000];
        assert!(!client.exceeds(&limits, 1000));
        assert!(!client.exceeds(&limits, 2999));
        assert!(client.exceeds(&limits, 3000));
        // A break begins the time anew.
        client.output.bytes = vec![0; 10];
        assert!(!client.exceeds(&limits, 3500));
        client.output.bytes = vec![0; 60_000];
        assert!(!client.exceeds(&limits, 4000));
        client.output.bytes = vec![0; 100_000];
        assert!(client.exceeds(&limits, 4000));
        let normal = OutputLimit { hard: 1, soft: 1, soft_seconds: 0 };
        client.output.bytes = vec![0; FIXED_BUFFER];
        assert!(!client.exceeds(&OutputLimits { normal, ..limits }, 4000));
    }

    #[test]
    fn who_has_lost_replies_is_over_the_limit() {
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        client.output.set_limit(100_000);
        client.output.bytes = vec![0; 99_999];
        client.output.open();
        assert!(!client.exceeds(&OutputLimits::default(), 0));
        client.output.bytes = vec![0; 100_000];
        client.output.open();
        assert_eq!((client.output.dropped(), client.output.pending()), (100_000, 0));
        assert!(client.exceeds(&OutputLimits::default(), 0));
        client.output.attach(Arc::new(vec![0; 100_000]));
        assert!(client.output.memory() < 1000);
    }

    #[test]
    fn what_is_held_back_from_a_replica_counts_and_its_copy_does_not() {
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        let replica = OutputLimit { hard: 100_000, soft: 0, soft_seconds: 0 };
        let limits = OutputLimits { replica, ..OutputLimits::default() };
        let mut state = Replica::new(0);
        state.phase = Phase::Copied;
        client.replica = Some(Box::new(state));
        client.output.bytes = vec![0; 1_000_000];
        assert!(!client.exceeds(&limits, 0));
        client.replica.as_mut().unwrap().held.append_part(&Arc::new(vec![0; 100_000]));
        assert!(client.exceeds(&limits, 0));
        client.replica.as_mut().unwrap().phase = Phase::Online;
        client.output.bytes = vec![0; 99_999];
        assert!(!client.exceeds(&limits, 0));
        client.output.bytes = vec![0; 100_000];
        assert!(client.exceeds(&limits, 0));
    }

    #[test]
    fn who_still_has_to_say_that_it_has_its_copy_is_measured_by_what_is_held_for_it() {
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        let mut replica = Replica::new(0);
        replica.held.attach(Arc::new(vec![0; 100_000]));
        client.replica = Some(Box::new(replica));
        let limits =
            OutputLimits { replica: OutputLimit { hard: 90_000, soft: 0, soft_seconds: 0 }, ..Default::default() };
        for (phase, exceeds) in [(Phase::Copied, true), (Phase::Settles, true), (Phase::Online, false)] {
            client.replica.as_mut().unwrap().phase = phase;
            assert_eq!(client.exceeds(&limits, 0), exceeds, "{phase:?}");
        }
    }

    /// What it is sent comes on a connection of its own.
    #[test]
    fn a_primary_has_no_limit() {
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        let normal = OutputLimit { hard: 1000, soft: 0, soft_seconds: 0 };
        for (is_primary, limited) in [(false, true), (true, false)] {
            client.is_primary = is_primary;
            client.limit_output(&OutputLimits { normal, ..OutputLimits::default() });
            assert_eq!(client.output.is_limited(), limited);
        }
    }

    #[test]
    fn each_class_of_clients_has_its_limit() {
        let limit = |hard| OutputLimit { hard, soft: 0, soft_seconds: 0 };
        let limits = OutputLimits { normal: limit(100_000), replica: limit(200_000), pubsub: limit(300_000) };
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        let exceeds = |client: &mut Client, waiting: usize| {
            client.output.bytes = vec![0; waiting];
            client.exceeds(&limits, 0)
        };
        assert!(!exceeds(&mut client, 99_999) && exceeds(&mut client, 100_000));
        client.subscriptions = Some(Box::default());
        assert!(!exceeds(&mut client, 299_999) && exceeds(&mut client, 300_000));
        client.replica = Some(Box::new(Replica { phase: Phase::Online, ..Replica::new(0) }));
        assert!(!exceeds(&mut client, 199_999) && exceeds(&mut client, 200_000));
    }
}
