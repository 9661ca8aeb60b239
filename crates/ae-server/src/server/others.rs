//! Serving other clients while a script runs.

use super::state::Server;

impl Server {
    /// What others are told while a script takes long.
    pub fn busy_error(&self) -> &'static str {
        match &self.scripting.running {
            Some(running) if running.is_function => {
                "BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE."
            }
            _ => "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        }
    }

    /// Serves other clients, from within a script. What the script has changed so far is told when it ends.
    pub fn serve_others(&mut self) {
        let Some(mut others) = self.others.take() else { return };
        let changed = self.databases.effects.take();
        others.serve(self);
        self.databases.effects.put_back(changed);
        self.others = Some(others);
    }
}

#[cfg(test)]
mod tests {
    use crate::db::effects::Concerns;
    use crate::server::state::{ServeOthers, Server};
    use crate::testing::Session;
    use std::cell::Cell;
    use std::rc::Rc;

    struct Others(Rc<Cell<u32>>);

    impl ServeOthers for Others {
        fn serve(&mut self, server: &mut Server) {
            assert!(server.databases.effects.is_empty(), "nobody sees what a script has done before it ends");
            self.0.set(self.0.get() + 1);
        }
    }

    #[test]
    fn others_are_served_again_and_again_and_learn_of_changes_at_the_end() {
        let (mut session, served) = (Session::new(), Rc::new(Cell::new(0)));
        session.server.others = Some(Box::new(Others(served.clone())));
        session.server.set_streams(true, true);
        session.server.databases.effects.add(0, Concerns::Everybody, |request| _ = request.arg("PING"));
        session.server.serve_others();
        session.server.serve_others();
        assert_eq!((served.get(), session.server.databases.effects.len()), (2, 1));
    }
}
