/// One leaf of the rows: a metric, under the path of keys that leads to it.
struct MetricSlot {
    let path: [String]
    let name: String
    /// The only key, as bytes; empty for a path of several.
    let key: [UInt8]
    /// The path as protobuf fields, ready to be copied into a record, and how an item of it begins.
    let encodedPath: [UInt8]
    let opening: [UInt8]
    /// Where the open row holds a value of it; -1 when it does not.
    var rowPosition = -1
    /// The last value that a closed row held.
    var last = KeptValue()
    var aggregate: Aggregate? { didSet { isAggregated = aggregate != nil } }
    private(set) var isAggregated = false
    var skipsSummary = false
    /// The step metric whose value is added to rows that lack it.
    var stepSlot = -1
    var kept = KeptValue()
    var summary: WandbValue? {
        get { kept.value }
        set { kept.set(newValue) }
    }
    var isDirty = false

    init(path: [String]) {
        self.path = path
        key = path.count == 1 ? Array(path[0].utf8) : []
        name = MetricDefinition.name(of: path)
        encodedPath = ProtoBuffer.path(path)
        opening = ProtoBuffer.opening(path)
    }
}
