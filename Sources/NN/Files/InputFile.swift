#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension TensorError {
    /// What is wrong with a file, and where in it.
    static func file(_ path: String, at offset: Int? = nil, _ reason: String) -> TensorError {
        TensorError(offset.map { "\(path): byte \($0): \(reason)" } ?? "\(path): \(reason)")
    }

    /// A failed system call; `errno` still holds its reason.
    static func system(_ path: String, _ action: String) -> TensorError {
        TensorError("\(path): cannot \(action): \(String(cString: strerror(errno)))")
    }
}

/// A file opened for reading: its size is known, and every read is checked against it.
///
/// A pipe is read to its end first, so that formats may jump about in it.
final class InputFile: @unchecked Sendable {
    let path: String
    let size: Int
    private let descriptor: Int32
    private let held: FileBytes?

    /// - Throws: `TensorError` with the path and the system's reason.
    init(_ path: String) throws {
        guard !path.utf8.contains(0) else { throw TensorError.file(path, "a path cannot hold a zero byte") }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        self.path = path
        guard descriptor >= 0 else { throw TensorError.system(path, "open") }
        var info = stat()
        guard fstat(descriptor, &info) == 0 else {
            let error = TensorError.system(path, "examine")
            close(descriptor)
            throw error
        }
        do {
            switch info.st_mode & S_IFMT {
            case S_IFREG:
                size = Int(info.st_size)
                held = nil
            case S_IFIFO:
                let all = try FileBytes.toEnd(of: descriptor, path)
                held = all
                size = all.count
            case S_IFDIR: throw TensorError.file(path, "is a folder, expected a file")
            default: throw TensorError.file(path, "is not a regular file")
            }
        } catch {
            close(descriptor)
            throw error
        }
    }

    deinit { close(descriptor) }

    /// Reads exactly `count` bytes at `offset` into `target`.
    /// - Throws: `TensorError` when the file is shorter, or the system refuses.
    func read(_ count: Int, at offset: Int, into target: UnsafeMutableRawPointer) throws {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw TensorError.file(path, at: min(max(offset, 0), size), "expected \(count) more bytes, the file ends at \(size)")
        }
        if let held {
            if count > 0 { target.copyMemory(from: held.base + offset, byteCount: count) }
            return
        }
        var done = 0
        while done < count {
            let n = pread(descriptor, target + done, count - done, off_t(offset + done))
            if n < 0 && errno == EINTR { continue }
            guard n >= 0 else { throw TensorError.system(path, "read") }
            guard n > 0 else { throw TensorError.file(path, at: offset + done, "the file became shorter while it was read") }
            done += n
        }
    }

    func bytes(_ count: Int, at offset: Int) throws -> [UInt8] {
        guard offset >= 0, count >= 0, offset <= size, count <= size - offset else {
            throw TensorError.file(path, at: min(max(offset, 0), size), "expected \(count) more bytes, the file ends at \(size)")
        }
        return try [UInt8](count: count, "\(count) bytes of \(path)") { try read(count, at: offset, into: $0) }
    }

    /// The whole file in memory.
    func contents() throws -> FileBytes {
        if let held { return held }
        let all = try FileBytes(count: size, path)
        try read(size, at: 0, into: all.base)
        return all
    }
}

/// A block of plain memory with a file's bytes.
final class FileBytes: @unchecked Sendable {
    private(set) var base: UnsafeMutableRawPointer
    private(set) var count: Int

    init(count: Int, _ path: String) throws {
        guard let base = malloc(max(count, 1)) else {
            throw TensorError("\(path): cannot hold its \(formatBytes(count)) in memory", kind: .outOfMemory)
        }
        self.base = base
        self.count = count
    }

    deinit { free(base) }

    var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    static func toEnd(of descriptor: Int32, _ path: String) throws -> FileBytes {
        var capacity = 1 << 16
        let all = try FileBytes(count: capacity, path)
        all.count = 0
        while true {
            if all.count == capacity {
                capacity *= 2
                guard capacity <= Allocator.shared.limit, let larger = realloc(all.base, capacity) else {
                    throw TensorError("\(path): more than \(formatBytes(all.count)) came out of this pipe", kind: .outOfMemory)
                }
                all.base = larger
            }
            let n = systemRead(descriptor, all.base + all.count, capacity - all.count)
            if n < 0 && errno == EINTR { continue }
            guard n >= 0 else { throw TensorError.system(path, "read") }
            if n == 0 { return all }
            all.count += n
        }
    }
}

/// `read` under a name that methods called `read` do not hide.
private func systemRead(_ fd: Int32, _ to: UnsafeMutableRawPointer, _ n: Int) -> Int { read(fd, to, n) }
