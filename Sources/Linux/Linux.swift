/// Linux: system calls with Swift names.
///
/// Namespaces, mounts, links, cgroups, processes and sockets, each failure a `SystemError` that names the call and its
/// subject. It holds no policy: what is mounted, linked or limited is decided above.
