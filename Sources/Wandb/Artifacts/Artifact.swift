#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import CZlib
import Synchronization

/// A named, versioned set of files.
public final class Artifact: Sendable {
    public struct Entry: Sendable, Equatable {
        public let path: String
        /// Base64 of the MD5, or what identifies a reference.
        public let digest: String
        public let size: Int64
        /// Set for references: where the bytes are.
        public let reference: String?
        package let source: Source?

        package enum Source: Sendable, Equatable {
            case file(String)
            case bytes([UInt8])
        }
    }

    public let name: String
    public let type: String
    public let description: String
    public let metadata: WandbMap
    package let clientID = RunDirectory.randomID(128)
    package let sequenceClientID = RunDirectory.randomID(128)
    private let contents = Mutex<[String: Entry]>([:])

    /// `isOwn` lifts the rules that keep people from W&B's own names.
    package init(name: String, type: String, description: String = "", metadata: WandbMap = [:], isOwn: Bool)
        throws(WandbError)
    {
        if !isOwn {
            try Self.check(name: name)
            try Self.check(type: type)
            try Self.checkFinite(.map(metadata), "metadata")
        }
        (self.name, self.type, self.description, self.metadata) = (name, type, description, metadata)
    }

    public convenience init(_ name: String, type: String, description: String = "", metadata: WandbMap = [:])
        throws(WandbError)
    {
        try self.init(name: name, type: type, description: description, metadata: metadata, isOwn: false)
    }

    // MARK: Contents

    /// Adds a file under `name`, by default its own.
    public func addFile(_ path: String, as name: String? = nil) throws(WandbError) {
        guard let size = Files.size(path) else { throw .file("Artifact:add_file: there is no file '\(path)'") }
        let digest = Base64.encode(try Digest.ofFile(path, .md5))
        try add(
            Entry(
                path: name ?? Files.name(of: path), digest: digest, size: size, reference: nil,
                source: .file(Files.absolute(path))))
    }

    /// Adds all files of a directory, under `name/` when it is given.
    public func addDirectory(_ path: String, as name: String? = nil) throws(WandbError) {
        guard Files.isDirectory(path) else { throw .file("Artifact:add_dir: there is no directory '\(path)'") }
        for file in Files.listRecursively(path) {
            try addFile("\(path)/\(file)", as: name.map { $0.isEmpty ? file : "\($0)/\(file)" } ?? file)
        }
    }

    public func add(_ table: Table, as name: String) throws(WandbError) {
        let files = try table.artifactFiles()
        try add(bytes: files.table, as: name.hasSuffix(".table.json") ? name : "\(name).table.json")
        for (path, bytes) in files.pictures { try add(bytes: bytes, as: path) }
    }

    package func add(bytes: [UInt8], as name: String) throws(WandbError) {
        try add(
            Entry(
                path: name, digest: Base64.encode(Digest.of(bytes, .md5)), size: Int64(bytes.count), reference: nil,
                source: .bytes(bytes)))
    }

    /// Adds something that stays where it is: a URI, or a local file by its path.
    public func addReference(_ uri: String, as name: String? = nil) throws(WandbError) {
        if uri.hasPrefix("file://") {
            let path = String(uri.dropFirst(7))
            guard let size = Files.size(path) else { throw .file("Artifact:add_reference: there is no file '\(path)'") }
            let digest = Base64.encode(try Digest.ofFile(path, .md5))
            try add(
                Entry(path: name ?? Files.name(of: path), digest: digest, size: size, reference: uri, source: nil))
            return
        }
        guard uri.contains("://") else {
            throw .usage("Artifact:add_reference: '\(uri)' is no URI; expected file://…, s3://…, https://…")
        }
        try add(Entry(path: name ?? Files.name(of: uri), digest: uri, size: 0, reference: uri, source: nil))
    }

    /// Adds a file of an earlier version, which is not sent again.
    public func addReference(to entry: Entry, of artifactID: String, as name: String? = nil) throws(WandbError) {
        let hex = Base64.decode(artifactID).map { Digest.hex($0) } ?? artifactID
        let uri = entry.reference ?? "wandb-artifact://\(hex)/\(entry.path)"
        try add(Entry(path: name ?? entry.path, digest: entry.digest, size: entry.size, reference: uri, source: nil))
    }

    private func add(_ entry: Entry) throws(WandbError) {
        let parts = entry.path.split(separator: "/", omittingEmptySubsequences: false)
        guard !entry.path.isEmpty, !parts.contains(".."), !parts.contains("") else {
            throw .usage("Artifact: '\(entry.path)' is no path inside an artifact")
        }
        try contents.withLock { (contents) throws(WandbError) in
            if let known = contents[entry.path], known.digest != entry.digest {
                throw .usage("Artifact '\(name)' has another file '\(entry.path)' already")
            }
            contents[entry.path] = entry
        }
    }

    /// In the order of the bytes of their paths.
    public var entries: [Entry] {
        contents.withLock { Array($0.values) }.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// What makes two artifacts the same: their paths and what is in them.
    public var digest: String {
        var text = "wandb-artifact-manifest-v1\n"
        for entry in entries { text += "\(entry.path):\(entry.digest)\n" }
        return Digest.hex(Digest.of(Array(text.utf8), .md5))
    }

    // MARK: Names

    private static func isWord(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }

    package static func check(name: String) throws(WandbError) {
        guard !name.isEmpty, name.count <= 128, name.allSatisfy({ isWord($0) || ".-".contains($0) }) else {
            throw .usage(
                "wandb.Artifact: name '\(name)': expected 1 to 128 letters, digits, '_', '-' and '.'")
        }
    }

    package static func check(type: String) throws(WandbError) {
        guard let first = type.first, type.count <= 128, isWord(first) || first == "-",
            type.allSatisfy({ isWord($0) || " .-".contains($0) }), type.last != " "
        else {
            throw .usage("wandb.Artifact: type '\(type)': expected 1 to 128 letters, digits, '_', '-', '.' and spaces")
        }
        guard !["job", "run_table", "code"].contains(type), !type.hasPrefix("wandb-") else {
            throw .usage("wandb.Artifact: type '\(type)' is W&B's own; choose another, as 'model' or 'dataset'")
        }
    }

    package static func check(alias: String) throws(WandbError) {
        let isVersion = alias.hasPrefix("v") && alias.count > 1 && alias.dropFirst().allSatisfy(\.isNumber)
        guard (1...128).contains(alias.count), !alias.contains("/"), !alias.contains(":"), !isVersion else {
            throw .usage("run:log_artifact: alias '\(alias)': expected 1 to 128 characters, no '/', no ':', not 'v<number>'")
        }
    }

    private static func checkFinite(_ value: WandbValue, _ place: String) throws(WandbError) {
        switch value {
        case .double(let number) where !number.isFinite:
            throw .usage("wandb.Artifact: \(place) is \(number); metadata holds finite numbers only")
        case .list(let values): for value in values { try checkFinite(value, place) }
        case .map(let map): for entry in map.entries { try checkFinite(entry.value, "\(place).\(entry.key)") }
        case .media(let media): throw .usage("wandb.Artifact: \(place) is \(media.kind); metadata holds plain values only")
        default: break
        }
    }

    /// Other characters are left out, and six of a checksum keep such names apart.
    package static func safeName(_ name: String) -> String {
        let safe = String(name.filter { isWord($0) || ".-".contains($0) })
        guard safe != name else { return name }
        let bytes = Array(name.utf8)
        let sum = UInt32(truncatingIfNeeded: crc32(0, bytes, UInt32(bytes.count)))
        let code = Base64.encode([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: sum >> $0) })
        return "\(safe)-" + String(code.prefix(6).map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}
