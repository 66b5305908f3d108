import Linux
import Synchronization

/// The executable `martlet-init` as pods run it: a sealed copy in memory. A container's root could change the file on
/// the disk, or give it the setuid bit, through `/proc/<pid>/exe`.
final class InitProgram: Sendable {
    let path: String
    private let copy = Mutex<SharedDescriptor?>(nil)

    init(path: String) { self.path = path }

    /// The copy, which is made once. It blocks.
    func sealed() throws(SystemError) -> SharedDescriptor {
        try copy.withLock { copy throws(SystemError) in
            if let copy { return copy }
            let made = try makeSealedProgram(path)
            copy = made
            return made
        }
    }
}
