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
