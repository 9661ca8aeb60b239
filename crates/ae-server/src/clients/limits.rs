//! How much of the server's memory a client may use.

use super::client::Client;
use super::replica::Phase;
use crate::config::output_limits::{OutputLimit, OutputLimits};

/// Bytes of replies that Redis keeps in a client's own buffer, and does not count.
const FIXED_BUFFER: usize = 16 * 1024;

impl Client {
    /// The output that counts: of a replica only the stream, since a copy is as long as it is.
    fn waiting_output(&self) -> usize {
        match &self.replica {
            Some(replica) if matches!(replica.phase, Phase::Copied | Phase::Settles) => replica.held_len,
            _ => self.output.pending(),
        }
    }

    /// Whether so much output waits for it, or for so long, that it is closed. To be asked regularly.
    pub fn exceeds(&mut self, limits: &OutputLimits, ticks: i64) -> bool {
        let is_subscriber = self.subscriptions.is_some();
        let OutputLimit { hard, soft, soft_seconds } = match self.is_replica() {
            true => limits.replica,
            false if is_subscriber => limits.pubsub,
            false => limits.normal,
        };
        // As in Redis, what its fixed buffer would hold counts as nothing.
        let pending = Some(self.waiting_output()).filter(|pending| *pending > FIXED_BUFFER).unwrap_or(0) as u64;
        if soft == 0 || pending < soft {
            self.above_soft_limit_since = None;
        }
        if hard > 0 && pending >= hard {
            return true;
        }
        if soft == 0 || pending < soft {
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
    use crate::clients::client::Client;
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
    fn what_is_held_back_from_a_replica_counts_and_its_copy_does_not() {
        let mut client = Client::new(1, None, Users::new().default_user(), 0);
        let replica = OutputLimit { hard: 100_000, soft: 0, soft_seconds: 0 };
        let limits = OutputLimits { replica, ..OutputLimits::default() };
        let mut state = Replica::new(0);
        state.phase = Phase::Copied;
        client.replica = Some(Box::new(state));
        client.output.bytes = vec![0; 1_000_000];
        assert!(!client.exceeds(&limits, 0));
        client.replica.as_mut().unwrap().hold(&Arc::new(vec![0; 100_000]));
        assert!(client.exceeds(&limits, 0));
        client.replica.as_mut().unwrap().phase = Phase::Online;
        client.output.bytes = vec![0; 99_999];
        assert!(!client.exceeds(&limits, 0));
        client.output.bytes = vec![0; 100_000];
        assert!(client.exceeds(&limits, 0));
    }
}
