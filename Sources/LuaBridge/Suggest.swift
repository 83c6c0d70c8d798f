/// What the writer of a misspelt name probably meant.
public enum Suggest {
    /// Names that other libraries use for the same thing.
    static let aliases: [String: [String]] = [
        "learning_rate": ["lr"], "axis": ["dim"], "axes": ["dim", "dims"], "keepdims": ["keepdim"],
        "keep_dim": ["keepdim"], "keep_dims": ["keepdim"], "dims": ["dim"], "epsilon": ["eps"],
        "wd": ["weight_decay"], "decay": ["weight_decay"], "batchsize": ["batch_size"], "bs": ["batch_size"],
        "size": ["shape", "size"], "x": ["input"], "strides": ["stride"], "pad": ["padding"],
        "kernel": ["kernel_size"], "filters": ["out_channels"], "units": ["out_features"], "rate": ["p", "lr"],
        "beta": ["betas"], "beta1": ["betas"], "use_bias": ["bias"], "type": ["dtype", "type"],
        "n_epochs": ["epochs"], "max": ["max", "high"], "min": ["min", "low"], "a": ["input"], "b": ["other"],
    ]

    /// The known name nearest to `name`, or nil when none is near.
    public static func nearest(_ name: String, in known: [String]) -> String? {
        let wanted = name.lowercased()
        for alias in aliases[wanted] ?? [] where known.contains(alias) { return alias }
        var best: (name: String, distance: Int)?
        for candidate in known {
            let distance = editDistance(Array(wanted.utf8), Array(candidate.lowercased().utf8))
            if distance < best?.distance ?? Int.max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(1, min(name.utf8.count, best.name.utf8.count) / 3) else { return nil }
        return best.name
    }

    /// "; did you mean 'x'?", or nothing.
    public static func hint(_ name: String, in known: [String]) -> String {
        nearest(name, in: known).map { "; did you mean '\($0)'?" } ?? ""
    }

    /// Insertions, deletions, substitutions and swaps of neighbours.
    static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var before: [Int] = [], last = Array(0...b.count)
        for i in 0..<a.count {
            var row = [i + 1]
            row.reserveCapacity(b.count + 1)
            for j in 0..<b.count {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, before[j - 1] + 1) }
                row.append(cost)
            }
            (before, last) = (last, row)
        }
        return last[b.count]
    }
}
