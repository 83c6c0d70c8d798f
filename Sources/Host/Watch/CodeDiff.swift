/// What changed in a file, line by line, as people read it.
enum CodeDiff {
    /// Lines shown for one file.
    private static let limit = 30

    static func lines(_ change: SourceFiles.Change, _ ink: DiffInk) -> [String] {
        let name = change.path.hasPrefix("./") ? String(change.path.dropFirst(2)) : change.path
        let old = split(change.old), new = split(change.new)
        var removed: Set<Int> = [], inserted: Set<Int> = []
        for step in new.difference(from: old) {
            switch step {
            case .remove(let offset, _, _): removed.insert(offset)
            case .insert(let offset, _, _): inserted.insert(offset)
            }
        }
        var shown: [String] = []
        var (i, j, lastShown) = (0, 0, -2)
        while i < old.count || j < new.count {
            let isRemoved = i < old.count && removed.contains(i), isInserted = j < new.count && inserted.contains(j)
            if (isRemoved || isInserted), j > lastShown + 1 || shown.isEmpty { shown.append(ink.faint("\(name):\(j + 1)")) }
            if isRemoved {
                shown.append(ink.red("- \(old[i])"))
                i += 1
                lastShown = j
            } else if isInserted {
                shown.append(ink.green("+ \(new[j])"))
                lastShown = j
                j += 1
            } else {
                i += 1
                j += 1
            }
        }
        if shown.count > limit { shown = shown.prefix(limit) + [ink.faint("... and \(shown.count - limit) more lines")] }
        return shown
    }

    private static func split(_ text: String) -> [Substring] {
        text.split(separator: "\n", omittingEmptySubsequences: false)
    }
}
