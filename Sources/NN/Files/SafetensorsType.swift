/// Element types of a safetensors file, in that format's order: writers put wide types first.
enum SafetensorsType: String, CaseIterable {
    case bool = "BOOL", uint8 = "U8", int8 = "I8", float8e5m2 = "F8_E5M2", float8e4m3 = "F8_E4M3", float8e8m0 = "F8_E8M0"
    case int16 = "I16", uint16 = "U16", float16 = "F16", bfloat16 = "BF16"
    case int32 = "I32", uint32 = "U32", float32 = "F32", float64 = "F64", int64 = "I64", uint64 = "U64"

    var size: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }

    /// What a tensor holds it as: the nearest type that loses nothing.
    var dtype: DType {
        switch self {
        case .bool: .bool
        case .uint8: .uint8
        case .int8, .int16, .uint16, .int32: .int32
        case .uint32, .int64, .uint64: .int64
        case .float8e5m2, .float8e4m3, .float8e8m0, .float16, .bfloat16, .float32: .float32
        case .float64: .float64
        }
    }

    init(_ dtype: DType) {
        switch dtype {
        case .float32: self = .float32
        case .float64: self = .float64
        case .int64: self = .int64
        case .int32: self = .int32
        case .uint8: self = .uint8
        case .bool: self = .bool
        }
    }

    /// Turns `count` elements in the file's form into the tensor's, in place: they lie at the upper
    /// end of the tensor's memory, so that widening from below never overtakes itself.
    /// - Returns: the first element that the tensor's type cannot hold, if there is one.
    func widen(_ bytes: UnsafeMutableRawPointer, count: Int) -> Int? {
        let source = UnsafeRawPointer(bytes + count * (dtype.size - size))
        func each<From: BitwiseCopyable, To: BitwiseCopyable>(_ from: From.Type, _ to: To.Type, _ f: (From) -> To) {
            for i in 0..<count {
                let value = f(source.loadUnaligned(fromByteOffset: i * MemoryLayout<From>.size, as: From.self))
                bytes.storeBytes(of: value, toByteOffset: i * MemoryLayout<To>.size, as: To.self)
            }
        }
        switch self {
        case .int8: each(Int8.self, Int32.self) { Int32($0) }
        case .int16: each(Int16.self, Int32.self) { Int32($0) }
        case .uint16: each(UInt16.self, Int32.self) { Int32($0) }
        case .uint32: each(UInt32.self, Int.self) { Int($0) }
        case .float16: each(UInt16.self, Float.self, HalfFloat.float16)
        case .bfloat16: each(UInt16.self, Float.self, HalfFloat.bfloat16)
        case .float8e5m2: each(UInt8.self, Float.self, HalfFloat.float8e5m2)
        case .float8e4m3: each(UInt8.self, Float.self, HalfFloat.float8e4m3)
        case .float8e8m0: each(UInt8.self, Float.self, HalfFloat.float8e8m0)
        case .uint64:
            for i in 0..<count where source.load(fromByteOffset: i * 8, as: UInt64.self) > UInt64(Int.max) { return i }
        case .bool:
            for i in 0..<count where source.load(fromByteOffset: i, as: UInt8.self) > 1 { return i }
        case .uint8, .int32, .float32, .float64, .int64: break
        }
        return nil
    }
}
