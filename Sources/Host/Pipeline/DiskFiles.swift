#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import CCrypto

/// A file that cannot be read, written or made: the path and the system's reason.
package struct FileError: Error, CustomStringConvertible {
    package let description: String

    /// Takes the reason from `errno`.
    init(_ what: String, _ path: String) { description = "\(what) \(path): \(String(cString: strerror(errno)))" }
}

/// What lies at a path.
package enum FileKind: Equatable {
    case missing, file, folder, link, fifo, other

    /// - Parameter follows: whether a symbolic link stands for its target.
    package static func at(_ path: String, follows: Bool = true) -> FileKind {
        var status = stat()
        guard (follows ? stat(path, &status) : lstat(path, &status)) == 0 else { return .missing }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .link
        case S_IFIFO: .fifo
        default: .other
        }
    }

    package static func exists(_ path: String) -> Bool { at(path) != .missing }
}

package enum Folder {
    /// Makes a folder and those it lies in; true when it is there afterwards, else `errno` says why.
    package static func make(_ path: String) -> Bool {
        if mkdir(path, 0o777) == 0 { return true }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            guard make(String(path[..<slash])) else { return false }
            if mkdir(path, 0o777) == 0 { return true }
        }
        return errno == EEXIST && FileKind.at(path) == .folder
    }

    package static func makeOrThrow(_ path: String) throws {
        guard make(path) else { throw FileError("cannot make the folder", path) }
    }

    /// The names in a folder, sorted; nil when it cannot be read.
    package static func names(_ path: String) -> [String]? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// Removes a file or a folder with all it holds; nothing there is fine. Links are removed, not followed.
    package static func remove(_ path: String) throws {
        switch FileKind.at(path, follows: false) {
        case .missing: return
        case .folder:
            for name in names(path) ?? [] { try remove(path + "/" + name) }
            guard rmdir(path) == 0 else { throw FileError("cannot remove", path) }
        default:
            guard unlink(path) == 0 else { throw FileError("cannot remove", path) }
        }
    }
}

package enum DiskFile {
    package static func read(_ path: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try chunks(path) { bytes.append(contentsOf: $0) }
        return bytes
    }

    /// Writes beside and renames, so that nobody sees half a file.
    package static func write(_ bytes: [UInt8], _ path: String) throws {
        let beside = path + ".part"
        guard let file = fopen(beside, "wb") else { throw FileError("cannot write", path) }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count, rename(beside, path) == 0 else { throw FileError("cannot write", path) }
    }

    package static func copy(_ from: String, _ to: String) throws {
        guard let target = fopen(to, "wb") else { throw FileError("cannot write", to) }
        var complete = true
        do {
            try chunks(from) { chunk in
                if fwrite(chunk.baseAddress, 1, chunk.count, target) != chunk.count { complete = false }
            }
        } catch {
            fclose(target)
            throw error
        }
        guard fclose(target) == 0, complete else { throw FileError("cannot write", to) }
    }

    /// SHA-256 of a file's bytes.
    package static func sha256(_ path: String) throws -> String {
        guard let context = EVP_MD_CTX_new() else { throw FileError("cannot hash", path) }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw FileError("cannot hash", path) }
        try chunks(path) { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw FileError("cannot hash", path) }
        return Hex.text(digest)
    }

    private static func chunks(_ path: String, _ body: (UnsafeRawBufferPointer) -> Void) throws {
        guard let file = fopen(path, "rb") else { throw FileError("cannot read", path) }
        defer { fclose(file) }
        let size = 1 << 18
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = fread(buffer.baseAddress, 1, size, file)
            if count > 0 { body(UnsafeRawBufferPointer(rebasing: buffer[0..<count])) }
            if count < size { break }
        }
        guard ferror(file) == 0 else { throw FileError("cannot read", path) }
    }
}

/// The environment of this process.
package enum ProcessEnvironment {
    package static func all() -> [String: String] {
        var variables: [String: String] = [:]
        var next = environ
        while let entry = next.pointee {
            let text = String(cString: entry)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            next += 1
        }
        return variables
    }
}
