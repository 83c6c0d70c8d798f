#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// What scripts do with files; every failure names the path and the system's reason.
enum Files {
    private static func failure(_ path: String, _ code: Int32 = errno) -> LuaError {
        LuaError("\(path): \(String(cString: strerror(code)))")
    }

    private static func mode(_ path: String, followsLinks: Bool = true) -> mode_t? {
        var status = stat()
        return (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 ? status.st_mode & S_IFMT : nil
    }

    static func exists(_ path: String) -> Bool { mode(path) != nil }
    static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }

    static func names(in path: String) throws -> [String] {
        guard let folder = opendir(path) else { throw failure(path) }
        defer { closedir(folder) }
        var names: [String] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: entry.pointee.d_name)) {
                    String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func makeFolder(_ path: String) throws {
        if isFolder(path) { return }
        let above = split(path).folder
        if above != path, above != ".", above != "/", !isFolder(above) { try makeFolder(above) }
        if mkdir(path, 0o777) != 0, !(errno == EEXIST && isFolder(path)) { throw failure(path) }
    }

    static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw failure(path) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else { throw failure(path) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: max(1 << 16, min(Int(status.st_size), 1 << 24)))
        while true {
            let count = systemRead(file, &chunk, chunk.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw failure(path)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }

    /// Writes beside the file and renames: a reader sees the old contents or the new, a crash leaves the old.
    static func replace(_ path: String, with bytes: UnsafeRawBufferPointer) throws {
        var name = Array("\(path).XXXXXX".utf8CString)
        let file = mkstemp(&name)
        guard file >= 0 else { throw failure(path) }
        let beside = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        var status = stat()
        // The permissions that the file has already, or that a new file gets.
        let mask = umask(0)
        umask(mask)
        fchmod(file, stat(path, &status) == 0 ? status.st_mode & 0o7777 : 0o666 & ~mask)
        var done = 0
        var code: Int32 = 0
        while done < bytes.count, code == 0 {
            let count = systemWrite(file, bytes.baseAddress! + done, bytes.count - done)
            if count >= 0 { done += count } else if errno != EINTR { code = errno }
        }
        if code == 0, fsync(file) != 0 { code = errno }
        if close(file) != 0, code == 0 { code = errno }
        if code == 0, rename(beside, path) != 0 { code = errno }
        if code != 0 {
            unlink(beside)
            throw failure(path, code)
        }
    }

    static func matches(_ pattern: String) throws -> [String] {
        var found = glob_t()
        defer { globfree(&found) }
        switch glob(pattern, 0, nil, &found) {
        case 0: return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
        case GLOB_NOMATCH: return []
        default: throw LuaError("\(pattern): cannot be searched")
        }
    }

    static func copy(_ from: String, to: String) throws {
        if isFolder(from) { throw LuaError("\(from): is a folder") }
        let target = isFolder(to) ? to + "/" + split(from).name : to
        try read(from).withUnsafeBytes { try replace(target, with: $0) }
    }

    static func remove(_ path: String, recursive: Bool) throws {
        guard let mode = mode(path, followsLinks: false) else { return }
        if mode == S_IFDIR, recursive {
            for name in try names(in: path) { try remove(path + "/" + name, recursive: true) }
        }
        if (mode == S_IFDIR ? rmdir(path) : unlink(path)) != 0 {
            let hint = errno == ENOTEMPTY || errno == EEXIST ? " (fs.remove(path, {recursive = true}) removes what is in it)" : ""
            throw LuaError(failure(path).message + hint)
        }
    }

    /// As `dirname` and `basename` of the shell.
    static func split(_ path: String) -> (folder: String, name: String) {
        var parts = path[...]
        while parts.count > 1, parts.hasSuffix("/") { parts.removeLast() }
        guard let slash = parts.lastIndex(of: "/") else { return (".", String(parts)) }
        if parts == "/" { return ("/", "/") }
        var folder = parts[..<slash]
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        return (folder.isEmpty ? "/" : String(folder), String(parts[parts.index(after: slash)...]))
    }
}

// The system calls, whose names the functions above hide.
private func systemRead(_ file: Int32, _ buffer: UnsafeMutableRawPointer, _ count: Int) -> Int { read(file, buffer, count) }
private func systemWrite(_ file: Int32, _ buffer: UnsafeRawPointer, _ count: Int) -> Int { write(file, buffer, count) }
