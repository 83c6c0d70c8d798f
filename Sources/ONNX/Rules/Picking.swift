import NN

extension Rules {
    /// Operations that pick elements.
    static let picking: [String: Rule] = [
        "narrow": one { c in
            let axis = try c.axis(1), shape = try c.value(0).shape
            let length = try c.dims(3)[0]
            if length == shape[axis] { return try c.name(0) }
            let start = try c.int(2)
            guard length.isFixed, start >= 0 || shape[axis].isFixed else { throw ExportError("the part that it takes depends on the batch size") }
            let first = start < 0 ? start + shape[axis].offset : start
            return c.graph.slice(try c.name(0), axis: axis, start: first, stop: first + length.offset)
        },
        "select": one { c in
            c.graph.node("Gather", [try c.name(0), c.graph.scalar(Double(try c.int(2)), .int64)], ["axis": .int(try c.axis(1))])
        },
        "slice": one { c in
            let axis = try c.axis(1)
            let stop = try c.has(3) ? c.end(c.dims(3)[0], c.value(0).shape[axis]) : Int.max
            return c.graph.slice(
                try c.name(0), axis: axis, start: c.has(2) ? try c.int(2) : 0, stop: stop, step: c.has(4) ? try c.int(4) : 1)
        },
        "split": { c in try parts(c, axis: c.axis(2)) },
        "chunk": { c in try parts(c, axis: c.axis(2)) },
        "unbind": { c in
            let axis = try c.axis(1)
            return try c.small.results.indices.map { k in
                c.graph.node("Gather", [try c.name(0), c.graph.scalar(Double(k), .int64)], ["axis": .int(axis)])
            }
        },
        "index": one { c in try index(c) },
        "gather": one { c in
            c.graph.node("GatherElements", [try c.name(0), try c.operand(2, as: .int64)], ["axis": .int(try c.axis(1))])
        },
        "take_along_dim": one { c in
            guard c.has(2) else { throw ExportError("give dim: positions in all elements as one row cannot be written as ONNX") }
            let (x, at) = (try c.value(0), try c.value(1)), axis = try c.axis(2)
            // The other dimensions broadcast.
            var wide = try c.shape()
            wide[axis] = x.shape[axis]
            let spread = c.graph.node("Expand", [x.name, try c.graph.sizes(wide)])
            let places = c.graph.node("Expand", [c.graph.cast(at.name, to: .int64), try c.graph.sizes(c.shape())])
            return c.graph.node("GatherElements", [spread, places], ["axis": .int(axis)])
        },
        "index_select": one { c in
            c.graph.node("Gather", [try c.name(0), try c.operand(2, as: .int64)], ["axis": .int(try c.axis(1))])
        },
        "scatter": one { c in
            guard c.isTensor(3), c.string(4) == nil else { throw ExportError("only a tensor, put without `reduce`, can be written as ONNX") }
            return c.graph.node(
                "ScatterElements", [try c.name(0), try c.operand(2, as: .int64), try c.operand(3, as: c.dtype)],
                ["axis": .int(try c.axis(1))])
        },
        "scatter_add": one { c in
            c.graph.node(
                "ScatterElements", [try c.name(0), try c.operand(2, as: .int64), try c.operand(3, as: c.dtype)],
                ["axis": .int(try c.axis(1)), "reduction": .string("add")])
        },
        "take": one { c in
            let row = c.graph.node("Reshape", [try c.name(0), c.graph.vector([-1])])
            return c.graph.node("Gather", [row, try c.operand(1, as: .int64)], ["axis": .int(0)])
        },
        "tril": one { c in try triangle(c, upper: 0) },
        "triu": one { c in try triangle(c, upper: 1) },
        "embedding": one { c in
            guard !c.has(3) else { throw ExportError("max_norm changes the weights while it looks them up") }
            return c.graph.node("Gather", [try c.name(1), try c.operand(0, as: .int64)], ["axis": .int(0)])
        },
        "topk": { c in
            let axis = try c.axis(2)
            return c.graph.nodes(
                "TopK", [try c.name(0), c.graph.vector([try c.int(1)])],
                ["axis": .int(axis), "largest": .int(c.bool(3) ? 1 : 0), "sorted": .int(1)], results: 2)
        },
        "sort": { c in try sorted(c) },
        "argsort": { c in [try sorted(c)[1]] },
    ]

    private static func triangle(_ c: TracedCall, upper: Int) throws -> String {
        c.graph.node("Trilu", [try c.name(0), c.graph.scalar(Double(try c.int(1)), .int64)], ["upper": .int(upper)])
    }

    private static func sorted(_ c: TracedCall) throws -> [String] {
        let value = try c.value(0), axis = try c.axis(1)
        guard value.rank > 0, value.shape[axis].isFixed else { throw ExportError("it sorts the batch") }
        return c.graph.nodes(
            "TopK", [value.name, c.graph.vector([value.shape[axis].offset])],
            ["axis": .int(axis), "largest": .int(c.bool(2) ? 1 : 0), "sorted": .int(1)], results: 2)
    }

    /// Pieces in a row.
    private static func parts(_ c: TracedCall, axis: Int) throws -> [String?] {
        var start = 0
        return try c.small.results.indices.map { k in
            let size = try c.shape(k)[axis]
            if k == 0, size == (try c.value(0).shape[axis]) { return try c.name(0) }
            guard size.isFixed else { throw ExportError("it splits the batch") }
            defer { start += size.offset }
            return c.graph.slice(try c.name(0), axis: axis, start: start, stop: start + size.offset)
        }
    }

    /// t[...]: slices, then one tensor of positions at most, then the shape.
    private static func index(_ c: TracedCall) throws -> String {
        var x = try c.name(0)
        let shape = try c.value(0).shape
        var used = 0
        for i in 1..<max(c.count, 1) where !["new", "..."].contains(c.part(i)) { used += 1 }
        var axis = 0
        var place: (axis: Int, name: String)?
        for i in 1..<max(c.count, 1) {
            let part = c.part(i)
            switch part {
            case "new": break
            case "...": axis += shape.count - used
            case "select":
                let at = try c.number(in: i, 1)
                guard at >= 0 || shape[axis].isFixed else { throw ExportError("an index from the end of the batch") }
                let first = at < 0 ? at + shape[axis].offset : at
                x = c.graph.slice(x, axis: axis, start: first, stop: first + 1)
                axis += 1
            case "range":
                let step = try c.number(in: i, 3)
                guard step > 0 else { throw ExportError("a negative step") }
                let start = try c.optionalNumber(in: i, 1) ?? 0
                let stop = try c.optionalNumber(in: i, 2, size: shape[axis]) ?? Int.max
                if start != 0 || stop != Int.max || step != 1 { x = c.graph.slice(x, axis: axis, start: start, stop: stop, step: step) }
                axis += 1
            default:
                let at = try c.tensor(in: i, 1)
                guard at.dtype != .bool else { throw ExportError("a mask: how many elements it picks depends on the input's values") }
                guard place == nil else { throw ExportError("more than one tensor of positions") }
                place = (axis, c.graph.cast(at.name, to: .int64))
                axis += 1
            }
        }
        if let place {
            guard !(1..<c.count).contains(where: { ["new", "select"].contains(c.part($0)) }) else {
                throw ExportError("a tensor of positions beside single indices or new dimensions")
            }
            return c.graph.node("Gather", [x, place.name], ["axis": .int(place.axis)])
        }
        return try c.shape() == shape && x == c.name(0) ? x : try c.graph.reshape(x, to: try c.shape())
    }
}

extension TracedCall {
    private func items(_ i: Int) -> ([OperationTrace.Argument], [OperationTrace.Argument]?) {
        guard i < small.arguments.count, case .list(let list) = small.arguments[i] else { return ([], nil) }
        guard let large, case .list(let other) = large.arguments[i] else { return (list, nil) }
        return (list, other)
    }

    /// Part `i` of an index expression.
    func part(_ i: Int) -> String {
        guard case .string(let kind)? = items(i).0.first else { return "" }
        return kind
    }

    /// An end that stands for the whole dimension stays open.
    func end(_ stop: Dim, _ size: Dim) throws -> Int {
        if stop == size { return Int.max }
        guard stop.isFixed else { throw ExportError("a range's end depends on the batch size") }
        return stop.offset
    }

    func optionalNumber(in i: Int, _ k: Int, size: Dim? = nil) throws -> Int? {
        let (list, other) = items(i)
        guard k < list.count, case .int(let a) = list[k] else { return nil }
        var dim = Dim(a)
        if let other, k < other.count, case .int(let b) = other[k] { dim = Dim(a, b, batch: batch) }
        if let size { return try end(dim, size) }
        guard dim.isFixed else { throw ExportError("an index depends on the batch size") }
        return dim.offset
    }

    func number(in i: Int, _ k: Int) throws -> Int { try optionalNumber(in: i, k) ?? 0 }

    func tensor(in i: Int, _ k: Int) throws -> Value {
        let (list, other) = items(i)
        guard k < list.count, case .tensor(let a) = list[k] else { throw ExportError("expected a tensor") }
        if let other, k < other.count, case .tensor(let b) = other[k] { return try reader.value(a, b) }
        return try reader.value(a, nil)
    }
}
