#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The `/pfs` of one try: links into a folder of its own, copies of the datum's files, an empty `out`.
struct Layout {
    /// `/pfs`, or what PFS_ROOT must name.
    let root: String
    /// Whether the root is not `/pfs`.
    let isMoved: Bool
    private let work: String
    private let madeTarget: Bool

    var outputFolder: String { root + "/out" }

    init(_ datum: Datum, state: LocalState, usesRoot: Bool) throws {
        try Folder.remove(state.workFolder)
        try Folder.makeOrThrow(state.workFolder + "/pfs")
        work = try absolute(state.workFolder + "/pfs")
        let missing = FileKind.at(PrivateMount.target) == .missing
        isMoved = usesRoot || !PrivateMount.isInside || !PrivateMount.mount(work)
        madeTarget = missing && !isMoved
        root = isMoved ? work : PrivateMount.target
        umask(0o022)
        let inner = ".scratch/\(Hex.randomID())/\(datum.id)/pfs/\(datum.id)"
        for input in datum.inputs { try lay(input, inner) }
        try Folder.makeOrThrow("\(work)/\(inner)/out")
        try link("\(root)/\(inner)/out", "\(work)/out")
    }

    private func lay(_ input: DatumInput, _ inner: String) throws {
        let folder = "\(work)/\(inner)/\(input.name)"
        if FileKind.at(folder) == .missing {
            try Folder.makeOrThrow(folder)
            chmod(folder, 0o700)
            try link("\(root)/\(inner)/\(input.name)", "\(work)/\(input.name)")
        }
        for file in input.files {
            let target = folder + file.path
            if let slash = target.lastIndex(of: "/") { try Folder.makeOrThrow(String(target[..<slash])) }
            if input.emptyFiles { try DiskFile.write([], target) } else { try DiskFile.copy(file.source, target) }
        }
    }

    private func link(_ target: String, _ path: String) throws {
        guard symlink(target, path) == 0 else { throw FileError("cannot link", path) }
    }

    /// A word of the command: `/pfs/...` becomes the moved root.
    func localPath(_ word: String) -> String {
        guard isMoved, word == "/pfs" || word.hasPrefix("/pfs/") else { return word }
        return root + word.dropFirst(4)
    }

    /// Lines for a shell: every `/pfs/` becomes the moved root.
    func localText(_ text: String) -> String { isMoved ? text.replacing("/pfs/", with: root + "/") : text }

    func remove() {
        if !isMoved { PrivateMount.unmount(removingTarget: madeTarget) }
        try? Folder.remove(work)
    }
}
