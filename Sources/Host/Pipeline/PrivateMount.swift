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

    /// Shows a folder at `/pfs`; false when that fails.
    static func mount(_ folder: String) -> Bool {
        #if os(Linux)
        guard Folder.make(target) else { return false }
        return Glibc.mount(folder, target, nil, UInt(MS_BIND), nil) == 0
        #else
        return false
        #endif
    }

    /// Takes the folder away again, and `/pfs` too when it was made for this run.
    static func unmount(removingTarget: Bool) {
        #if os(Linux)
        umount2(target, Int32(MNT_DETACH))
        if removingTarget { rmdir(target) }
        #endif
    }

    private static var canMakeTarget: Bool {
        FileKind.at(target) == .folder || (FileKind.at(target) == .missing && access("/", W_OK) == 0)
    }

    private static func program(_ name: String) -> String? {
        for folder in ["/usr/bin", "/bin", "/usr/local/bin"] where access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        return nil
    }
}
