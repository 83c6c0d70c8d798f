#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Gives the local runner a `/pfs` of its own, seen by nobody else.
///
/// The program starts itself again inside a mount namespace, by `unshare` of util-linux. Where that is not allowed,
/// or there is no `/pfs` to mount on, jobs run with PFS_ROOT instead.
enum PrivateMount {
    private static let marker = "HOST_PIPELINE_MOUNTS"
    static let target = "/pfs"

    /// Whether this process lives in a namespace made for it.
    static var isInside: Bool { getenv(marker) != nil }

    /// Replaces this process by itself in a namespace of its own; returns when that is not possible.
    static func enter(_ words: [String]) {
        #if os(Linux)
        guard !isInside, canMakeTarget, let unshare = program("unshare") else { return }
        let flags = getuid() == 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"]
        // A trial first: whether namespaces are allowed shows only when one is made.
        guard (try? ChildProcess.output([unshare] + flags + ["true"], quiet: true))?.status == 0 else { return }
        var path = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/exe", &path, path.count - 1) > 0 else { return }
        setenv(marker, "1", 1)
        let program = path.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        let arguments = ([unshare] + flags + [program] + words.dropFirst()).map { strdup($0) } + [nil]
        execv(unshare, arguments)
        unsetenv(marker)
        #endif
    }

    /// `/pfs` as this run found or made it. Open and locked for as long as something is mounted there: a folder that is
    /// removed takes with it what *other* runs have mounted on it, each in its own namespace.
    private nonisolated(unsafe) static var held: Int32 = -1

    /// Shows a folder at `/pfs`; false when that fails.
    static func mount(_ folder: String) -> Bool {
        #if os(Linux)
        guard hold() else { return false }
        if Glibc.mount(folder, target, nil, UInt(MS_BIND), nil) == 0 { return true }
        letGo(removingTarget: false)
        #endif
        return false
    }

    /// Takes the folder away again, and `/pfs` too when it was made for a run and no other run stands on it.
    static func unmount(removingTarget: Bool) {
        #if os(Linux)
        umount2(target, Int32(MNT_DETACH))
        letGo(removingTarget: removingTarget)
        #endif
    }

    /// Makes `/pfs` if need be, and shares a lock on it with the other runs.
    private static func hold() -> Bool {
        for _ in 0..<100 {
            guard Folder.make(target) else { return false }
            let folder = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard folder >= 0 else { continue }
            var locked = stat(), present = stat()
            if flock(folder, LOCK_SH) == 0, fstat(folder, &locked) == 0, stat(target, &present) == 0,
                locked.st_ino == present.st_ino, locked.st_dev == present.st_dev
            {
                held = folder
                return true
            }
            close(folder)  // another run removed it between the two steps
        }
        return false
    }

    private static func letGo(removingTarget: Bool) {
        guard held >= 0 else { return }
        if removingTarget, flock(held, LOCK_EX | LOCK_NB) == 0 { rmdir(target) }
        close(held)
        held = -1
    }

    private static var canMakeTarget: Bool {
        FileKind.at(target) == .folder || (FileKind.at(target) == .missing && access("/", W_OK) == 0)
    }

    private static func program(_ name: String) -> String? {
        for folder in ["/usr/bin", "/bin", "/usr/local/bin"] where access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        return nil
    }
}
