#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Whole small files and directories, by POSIX calls: the logger does without Foundation.
package enum Files {
    package static func read(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_mode & S_IFMT != S_IFDIR else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(max(0, Int(facts.st_size)))
        // Files under /proc say that they are empty: read until the end, not until the size.
        let piece = 65536
        while true {
            let count = withUnsafeTemporaryAllocation(of: UInt8.self, capacity: piece) { buffer in
                let count = posixRead(descriptor, buffer.baseAddress, piece)
                if count > 0 { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: buffer[0..<count])) }
                return count
            }
            if count == 0 { return bytes }
            if count < 0, errno != EINTR { return nil }
        }
    }

    package static func readText(_ path: String) -> String? {
        read(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Written beside and renamed: a reader sees the old file or the new one.
    package static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws(WandbError) {
        let beside = "\(path).\(getpid()).tmp"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", path) }
        let written = writeAll(bytes, to: descriptor)
        let kept = errno
        close(descriptor)
        errno = kept
        guard written, rename(beside, path) == 0 else {
            let error = failure("write", path)
            unlink(beside)
            throw error
        }
    }

    package static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws(WandbError) {
        try write(Array(text.utf8), to: path, mode: mode)
    }

    /// False with errno set when the descriptor does not take all of it.
    package static func writeAll(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { writeAll($0, to: descriptor) }
    }

    package static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
        var rest = bytes
        while !rest.isEmpty {
            let count = posixWrite(descriptor, rest.baseAddress, rest.count)
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        return true
    }

    package static func makeDirectories(_ path: String) throws(WandbError) {
        if isDirectory(path) { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectories(String(path[..<slash]))
        }
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw failure("create the directory", path) }
    }

    package static func isDirectory(_ path: String) -> Bool {
        var facts = stat()
        return stat(path, &facts) == 0 && facts.st_mode & S_IFMT == S_IFDIR
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    package static func size(_ path: String) -> Int64? {
        var facts = stat()
        guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(facts.st_size)
    }

    /// Names in a directory, sorted by bytes; empty when it cannot be read.
    package static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Every regular file below a directory, as paths relative to it, sorted.
    package static func listRecursively(_ path: String) -> [String] {
        var found: [String] = []
        for name in list(path) {
            let full = "\(path)/\(name)"
            if isDirectory(full) {
                found += listRecursively(full).map { "\(name)/\($0)" }
            } else {
                found.append(name)
            }
        }
        return found
    }

    package static func currentDirectory() -> String {
        guard let path = getcwd(nil, 0) else { return "." }
        defer { free(path) }
        return String(cString: path)
    }

    package static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        return path == "." ? currentDirectory() : "\(currentDirectory())/\(path.hasPrefix("./") ? String(path.dropFirst(2)) : path)"
    }

    package static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    package static func name(of path: String) -> String {
        path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// A link that never dangles: made under another name, then renamed. Failing to make it is no error.
    package static func link(_ path: String, to target: String) {
        let beside = "\(path).\(getpid()).tmp"
        unlink(beside)
        if symlink(target, beside) == 0, rename(beside, path) != 0 { unlink(beside) }
    }

    package static func copy(_ source: String, to target: String) throws(WandbError) {
        let from = open(source, O_RDONLY | O_CLOEXEC)
        guard from >= 0 else { throw failure("read", source) }
        defer { close(from) }
        let beside = "\(target).\(getpid()).tmp"
        let to = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard to >= 0 else { throw failure("write", target) }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var succeeded = true
        while succeeded {
            let count = posixRead(from, &buffer, buffer.count)
            if count == 0 { break }
            if count < 0 {
                succeeded = errno == EINTR
                continue
            }
            succeeded = buffer.withUnsafeBytes { writeAll(UnsafeRawBufferPointer(rebasing: $0[0..<count]), to: to) }
        }
        let kept = errno
        close(to)
        errno = kept
        guard succeeded, rename(beside, target) == 0 else {
            let error = failure("write", target)
            unlink(beside)
            throw error
        }
    }

    package static func removeTree(_ path: String) {
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return }
        if facts.st_mode & S_IFMT == S_IFDIR {
            for name in list(path) { removeTree("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }

    package static func failure(_ action: String, _ path: String) -> WandbError {
        .file("wandb: cannot \(action) '\(path)': \(String(cString: strerror(errno)))")
    }
}

// `read` and `write` inside Files mean its own functions: these are libc's.
private func posixRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    guard let buffer else { return 0 }
    return read(descriptor, buffer, count)
}
private func posixWrite(_ descriptor: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
    guard let buffer else { return 0 }
    return write(descriptor, buffer, count)
}
