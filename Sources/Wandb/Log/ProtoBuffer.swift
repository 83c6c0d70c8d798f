/// Protobuf wire format, written by hand where a row is encoded on the training thread: no message objects,
/// no allocation once the buffer has grown. Everything else goes through the generated types.
package struct ProtoBuffer {
    package var bytes: [UInt8] = []

    package init() {}

    package mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    package static func varintSize(_ value: UInt64) -> Int {
        value < 0x80 ? 1 : (64 - value.leadingZeroBitCount + 6) / 7
    }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    package mutating func int64(field: UInt64, _ value: Int64) {
        varint(field << 3)
        varint(UInt64(bitPattern: value))
    }

    package mutating func string(field: UInt64, _ value: String) {
        varint(field << 3 | 2)
        varint(UInt64(value.utf8.count))
        bytes.append(contentsOf: value.utf8)
    }

    package mutating func message(field: UInt64, _ body: [UInt8]) {
        varint(field << 3 | 2)
        varint(UInt64(body.count))
        bytes.append(contentsOf: body)
    }

    /// An item of a history or summary record: `path` is the encoded keys, `json` the value's text (field 16).
    package mutating func item(path: [UInt8], json: [UInt8]) {
        let size = path.count + 2 + Self.varintSize(UInt64(json.count)) + json.count
        bytes.append(0x0A)
        varint(UInt64(size))
        bytes.append(contentsOf: path)
        bytes.append(0x82)
        bytes.append(0x01)
        varint(UInt64(json.count))
        bytes.append(contentsOf: json)
    }

    /// How an item begins: with room for one byte of its size, its path, and room for one byte of its text's size.
    package static func opening(_ keys: [String]) -> [UInt8] { [0x0A, 0] + path(keys) + [0x82, 0x01, 0] }

    /// The same as `item(path:json:)` without a text of its own: `write` appends it to the buffer.
    package mutating func item(_ opening: [UInt8], _ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: opening)
        let text = bytes.count
        write(&bytes)
        let (size, length) = (bytes.count - start - 2, bytes.count - text)
        if size < 0x80 {
            bytes[start + 1] = UInt8(size)
            bytes[text - 1] = UInt8(length)
        } else {
            // The sizes take more room than was left for them.
            let json = Array(bytes[text...])
            bytes.removeSubrange(start...)
            item(path: Array(opening[2..<opening.count - 3]), json: json)
        }
    }

    /// The `nested_key` fields of a path.
    package static func path(_ keys: [String]) -> [UInt8] {
        var buffer = ProtoBuffer()
        for key in keys { buffer.string(field: 2, key) }
        return buffer.bytes
    }
}
