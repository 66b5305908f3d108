import Glibc

/// A descriptor that becomes readable when something happens to a directory's files (inotify(7)).
///
/// - Parameter events: such as `IN_MODIFY`.
public func makeWatch(of directory: String, _ events: UInt32) throws(SystemError) -> Descriptor {
    let watch = Descriptor(
        owning: try check("inotify_init1") { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) })
    try watch.withRawValue { number throws(SystemError) in
        _ = try check("inotify_add_watch", directory) { inotify_add_watch(number, directory, events) }
    }
    return watch
}
