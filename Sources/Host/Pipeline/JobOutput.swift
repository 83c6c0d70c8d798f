#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a program left in `/pfs/out`, taken as Pachyderm takes it.
enum JobOutput {
    /// Something in the output that makes Pachyderm restart the job for ever.
    struct Poison: Error, CustomStringConvertible {
        let description: String
    }

    /// Copies the output to `target`; gives the files' paths, without a leading '/'. Links become what they point to.
    static func collect(_ source: String, into target: String) throws -> [String] {
        var found: [String] = []
        func walk(_ inner: String, depth: Int) throws {
            guard depth < 40 else { throw Poison(description: "/pfs/out\(inner): nested without end; does a link point to its own folder?") }
            guard let names = Folder.names(source + inner) else { throw Poison(description: "/pfs/out\(inner) cannot be read") }
            for name in names {
                let path = "\(inner)/\(name)", from = source + path
                if let problem = OutputName.problem(name) { throw Poison(description: "/pfs/out\(path): \(problem)") }
                switch FileKind.at(from) {
                case .folder: try walk(path, depth: depth + 1)
                case .file:
                    guard access(from, R_OK) == 0 else { throw Poison(description: "/pfs/out\(path) cannot be read") }
                    try Folder.makeOrThrow(target + inner)
                    try DiskFile.copy(from, target + path)
                    found.append(String(path.dropFirst()))
                case .fifo: continue
                case .missing: throw Poison(description: "/pfs/out\(path): a link that points to nothing")
                default: throw Poison(description: "/pfs/out\(path): neither a file nor a folder")
                }
            }
        }
        try Folder.makeOrThrow(target)
        try walk("", depth: 0)
        return found
    }

    /// Merges the outputs of all datums; a path that two of them wrote fails the job.
    static func merge(_ outputs: [(datum: String, folder: String, files: [String])], into target: String) throws {
        var owner: [String: String] = [:]
        for output in outputs {
            for file in output.files {
                if let other = owner.updateValue(output.datum, forKey: file) {
                    throw PipelineFailure(
                        "duplicate path output by different datums: /\(file) (datums \(other.prefix(12)) and \(output.datum.prefix(12)))")
                }
            }
        }
        for (file, datum) in owner.sorted(by: { $0.key < $1.key }) {
            var folder = file[...]
            while let slash = folder.lastIndex(of: "/") {
                folder = folder[..<slash]
                if let other = owner[String(folder)] {
                    throw PipelineFailure("/\(folder) is a file of datum \(other.prefix(12)) and a folder of datum \(datum.prefix(12))")
                }
            }
        }
        for output in outputs {
            for file in output.files {
                let path = "\(target)/\(file)"
                if let slash = path.lastIndex(of: "/") { try Folder.makeOrThrow(String(path[..<slash])) }
                try DiskFile.copy("\(output.folder)/\(file)", path)
            }
        }
    }
}
