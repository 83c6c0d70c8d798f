#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// A file that appears whole or not at all: it is written beside its final place, brought to the
/// disk, and renamed. Until `commit` a file that was there before stays as it is.
package final class OutputFile {
    package let path: String
    private let target: String
    private let temporary: String
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []
    private static let bufferSize = 1 << 18
    private static let serial = Atomic<Int>(0)

    /// - Throws: `TensorError` with the path and the system's reason.
    package init(_ path: String) throws {
        guard !path.isEmpty else { throw TensorError("expected a file name, got an empty string") }
        guard !path.utf8.contains(0) else { throw TensorError.file(path, "a path cannot hold a zero byte") }
        self.path = path
        // A link stays a link: what it points to is replaced.
        if let real = realpath(path, nil) {
            target = String(cString: real)
            free(real)
        } else {
            target = path
        }
        temporary = "\(target).\(getpid())-\(OutputFile.serial.add(1, ordering: .relaxed).newValue).part"
        var mode: mode_t = 0o666
        var info = stat()
        let exists = stat(target, &info) == 0
        if exists {
            guard info.st_mode & S_IFMT == S_IFREG else { throw TensorError.file(path, "is not a regular file, it cannot be replaced") }
            guard access(target, W_OK) == 0 else { throw TensorError.system(path, "write") }
            mode = info.st_mode & 0o777
        }
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw TensorError.system(path, "create the file") }
        if exists { fchmod(descriptor, mode) }
        buffer.reserveCapacity(OutputFile.bufferSize)
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if buffer.count + bytes.count <= OutputFile.bufferSize {
            buffer.append(contentsOf: bytes)
            return
        }
        try flush()
        if bytes.count >= OutputFile.bufferSize { try writeOut(bytes) } else { buffer.append(contentsOf: bytes) }
    }

    private func flush() throws {
        try buffer.withUnsafeBytes { try writeOut($0) }
        buffer.removeAll(keepingCapacity: true)
    }

    private func writeOut(_ bytes: UnsafeRawBufferPointer) throws {
        guard let base = bytes.baseAddress else { return }
        var done = 0
        while done < bytes.count {
            let n = systemWrite(descriptor, base + done, min(bytes.count - done, 1 << 30))
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else { throw TensorError.system(path, "write (what was there before is unchanged)") }
            done += n
        }
    }

    /// Puts the finished file in its place.
    package func commit() throws {
        try flush()
        while fsync(descriptor) != 0 {
            if errno == EINTR { continue }
            // Some file systems cannot; a full disk is the error that matters.
            if errno == EINVAL || errno == ENOTSUP { break }
            throw TensorError.system(path, "bring to disk (what was there before is unchanged)")
        }
        guard close(descriptor) == 0 else {
            descriptor = -1
            let error = TensorError.system(path, "finish (what was there before is unchanged)")
            unlink(temporary)
            throw error
        }
        descriptor = -1
        guard rename(temporary, target) == 0 else {
            let error = TensorError.system(path, "put in place (what was there before is unchanged)")
            unlink(temporary)
            throw error
        }
        // The rename itself survives a power cut once the folder is on disk; where that cannot be
        // asked for, the file is still whole.
        let slash = target.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        let directory = open(folder, O_RDONLY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }
}

private func systemWrite(_ fd: Int32, _ from: UnsafeRawPointer, _ n: Int) -> Int { write(fd, from, n) }
