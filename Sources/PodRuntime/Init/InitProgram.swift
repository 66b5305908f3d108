import Glibc
import Linux
import Synchronization

/// The executable `martlet-init` as pods run it: a sealed copy in memory. A container's root could change the file on
/// the disk, or give it the setuid bit, through `/proc/<pid>/exe`.
final class InitProgram: Sendable {
    let path: String
    private let copy = Mutex<SharedDescriptor?>(nil)
    /// The mount namespace with the empty root that inits live in: made by the first one, and joined by the others.
    private let root = Mutex<SharedDescriptor?>(nil)

    init(path: String) { self.path = path }

    /// The copy, which is made once. It blocks.
    func sealed() throws(RuntimeError) -> SharedDescriptor {
        try copy.withLock { copy throws(RuntimeError) in
            if let copy { return copy }
            do throws(SystemError) {
                let made = try makeSealedProgram(path)
                copy = made
                return made
            } catch  where error.errno == EACCES {
                throw .failed("no program can be run from memory here: set the sysctl vm.memfd_noexec to 0 or 1")
            } catch {
                throw .failed("\(error)")
            }
        }
    }

    var emptyRoot: SharedDescriptor? { root.withLock { $0 } }

    /// Keeps the mount namespace of an init for those that come.
    func keepRoot(of process: Int32) {
        root.withLock { root in
            guard root == nil, let file = try? Descriptor.open("/proc/\(process)/ns/mnt", O_RDONLY) else { return }
            root = SharedDescriptor(file)
        }
    }
}
