//! How much of a value is written at a time.

/// What an element costs beside its bytes: it has to be found in memory first.
const ELEMENT: usize = 32;

/// About how many bytes may still be written. Elements that take time count more than their bytes.
pub struct Budget(usize);

impl Budget {
    pub fn new(bytes: usize) -> Budget {
        Budget(bytes)
    }

    /// Counts an element of so many bytes. True if it was the last one for now.
    pub fn spend(&mut self, bytes: usize) -> bool {
        // Without a limit, nothing is counted.
        if self.0 < usize::MAX {
            self.0 = self.0.saturating_sub(bytes + ELEMENT);
        }
        self.0 == 0
    }
}
